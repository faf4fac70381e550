using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using static System.FormattableString;

namespace KvPareto.Sweep.Answers.Engines;

/// <summary>exllamav3's model options (its exllamav3/model_init.py), as its examples take them.</summary>
internal static class ExllamaFlags
{
    // exllamav3/constants.py: a cache is a whole number of pages.
    private const int PageTokens = 256;

    /// <summary>The command and what differs.</summary>
    public static EngineAnswer For(EngineRequest request)
    {
        var setting = request.Setting;
        var (commands, differences) = (new List<IReadOnlyList<string>>(), new List<string>());
        var folder = Weights(setting.Weights, commands, differences);
        List<string> command =
        [
            "python examples/chat.py", $"-m {folder}", Invariant($"-cs {request.TokensIn(PageTokens)}"),
        ];
        var (keys, values) = (Math.Min(request.Bits.Keys, 8), Math.Min(request.Bits.Values, 8));
        if (request.IsCoded)
        {
            command.Add(Invariant($"-cq {keys},{values}"));
            if ((keys, values) != request.Bits)
                differences.Add("codes both sides or neither; 8 bits stand for the side that is at 16");
            if (!request.Has(new KvGranularity(KvAxis.Token, 32)))
                differences.Add($"codes caches in groups of 32 channels of a token, not by {request.Granularity}");
            differences.Add("has no zero points");
            if (setting.Cache.Rotation == KvRotation.None) differences.Add("rotates what it codes by itself");
        }
        command.Add(Invariant($"-chunk_size {setting.Chunk ?? request.TokensIn(PageTokens)}"));
        commands.Add(command);
        if (setting.Attention == AttentionKernel.Math) differences.Add("never materialises attention scores");
        differences.AddRange(request.Unsaid(CachePart.Rotation));
        return new("exllamav3", commands, differences);
    }

    private static string Weights(WeightSpec weights, List<IReadOnlyList<string>> commands, List<string> differences)
    {
        if (weights.CodeBits == 16) return EngineRequest.Model;
        commands.Add(["python convert.py", "-i MODEL", "-o EXL3-DIR", "-w WORK-DIR", Invariant($"-b {weights.CodeBits}.0")]);
        differences.Add("reads weights of its own format EXL3, whose accuracy at these bits is another one");
        return "EXL3-DIR";
    }
}
