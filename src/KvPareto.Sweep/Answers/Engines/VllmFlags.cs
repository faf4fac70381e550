using KvPareto.Engine.Seam;
using static System.FormattableString;

namespace KvPareto.Sweep.Answers.Engines;

/// <summary>vLLM's <c>vllm serve</c> (cache types as of its vllm/config/cache.py, October 2026).</summary>
internal static class VllmFlags
{
    /// <summary>Cache types by bits of keys and values.</summary>
    private static readonly Dictionary<(int Keys, int Values), (string Type, string? Difference)> CacheTypes = new()
    {
        [(16, 16)] = ("auto", null),
        [(8, 8)] = ("int8_per_token_head", "has one scale for a head's channels of a token and no zero point"),
        [(8, 4)] = ("turboquant_k8v4", "has 8-bit keys as fp8 there, and keeps the first and last two layers at 16 bits"),
        [(4, 4)] = ("int4_per_token_head", "has one scale for a head's channels of a token, and rotates before coding"),
    };

    /// <summary>The command and what differs.</summary>
    public static EngineAnswer For(EngineRequest request)
    {
        var setting = request.Setting;
        var (commands, differences) = (new List<IReadOnlyList<string>>(), new List<string>());
        var folder = AwqFolder.Of(setting.Weights, [4, 8], [32, 64, 128]);
        if (folder.Making is { } making) commands.Add(making);
        differences.AddRange(folder.Differences);
        List<string> command = [$"vllm serve {folder.Model}", Invariant($"--max-model-len {request.Tokens}"), "--max-num-seqs 1"];
        if (CacheTypes.TryGetValue(request.Bits, out var type))
        {
            command.Add($"--kv-cache-dtype {type.Type}");
            if (type.Difference is { } difference) differences.Add(difference);
        }
        else
        {
            differences.Add(Invariant($"has no cache type with {request.Bits.Keys}-bit keys and {request.Bits.Values}-bit values; ")
                + $"the nearest are {string.Join(", ", CacheTypes.Values.Skip(1).Select(known => known.Type))}, turboquant_4bit_nc and "
                + "turboquant_k3v4_nc");
        }
        if (request.EdgeLayers.Count > 0) command.Add($"--kv-cache-dtype-skip-layers {string.Join(' ', request.EdgeLayers)}");
        command.AddRange(setting.Chunk is { } chunk
            ? ["--enable-chunked-prefill", Invariant($"--max-num-batched-tokens {chunk}")]
            : ["--no-enable-chunked-prefill", Invariant($"--max-num-batched-tokens {request.Tokens}")]);
        commands.Add(command);
        if (setting.Attention == AttentionKernel.Math) differences.Add("never materialises attention scores");
        differences.AddRange(request.Unsaid(request.EdgeLayers.Count > 0 ? [CachePart.Edge] : []));
        return new("vLLM", commands, differences);
    }
}
