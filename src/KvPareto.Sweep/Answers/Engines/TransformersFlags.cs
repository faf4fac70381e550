using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using static System.FormattableString;

namespace KvPareto.Sweep.Answers.Engines;

/// <summary>transformers' <c>generate</c> with its quantized cache (HQQ), in Python.</summary>
internal static class TransformersFlags
{
    private static readonly int[] Bits = [8, 4, 2];

    /// <summary>The code and what differs.</summary>
    public static EngineAnswer For(EngineRequest request)
    {
        var setting = request.Setting;
        var (commands, differences) = (new List<IReadOnlyList<string>>(), new List<string>());
        var folder = AwqFolder.Of(setting.Weights, [4], [32, 64, 128]);
        if (folder.Making is { } making) commands.Add(making);
        differences.AddRange(folder.Differences);
        var attention = setting.Attention == AttentionKernel.Math ? "eager" : "sdpa";
        commands.Add(
        [
            $"model = AutoModelForCausalLM.from_pretrained(\"{folder.Model}\",", "device_map=\"cuda\",",
            $"attn_implementation=\"{attention}\")",
        ]);
        List<string> command = ["model.generate(**inputs,"];
        if (request.IsCoded) Cache(request, command, differences);
        if (setting.Chunk is { } chunk) command.Add(Invariant($"prefill_chunk_size={chunk},"));
        command.Add("do_sample=False)");
        commands.Add(command);
        differences.AddRange(request.Unsaid(CachePart.Recent));
        return new("transformers", commands, differences);
    }

    private static void Cache(EngineRequest request, List<string> command, List<string> differences)
    {
        var (keys, values) = request.Bits;
        var coded = Array.Find(Bits, bits => bits <= Math.Max(keys, values));
        if (keys != values) differences.Add(Invariant($"has one number of bits for keys and values; here it is {coded}"));
        var group = GroupOf(request);
        // The latest tokens are kept at 16 bits in any case; transformers asks for at least one.
        var recent = Math.Max(1, request.Setting.Cache.RecentTokens);
        command.AddRange(
        [
            "cache_implementation=\"quantized\",", "cache_config={\"backend\": \"hqq\",", Invariant($"\"nbits\": {coded},"),
            "\"axis_key\": 1,", "\"axis_value\": 1,", Invariant($"\"q_group_size\": {group},"),
                Invariant($"\"residual_length\": {recent}}},"),
        ]);
        if (!request.Has(new KvGranularity(KvAxis.Token, group)))
            differences.Add($"codes in groups of {group} channels here, not by {request.Granularity}");
        differences.Add("attends over keys and values of the first forward pass before they are coded");
        differences.Add("decodes the whole cache of a layer before each attention, which takes memory that a fused kernel does not");
    }

    private static int GroupOf(EngineRequest request)
    {
        var cache = request.Setting.Cache;
        var granularity = cache.Keys.IsCoded ? cache.Keys.Granularity : cache.Values.Granularity;
        return granularity.Axis == KvAxis.Token ? granularity.Group : 64;
    }
}
