using KvPareto.Engine.Model;
using static System.FormattableString;

namespace KvPareto.Sweep.Answers.Engines;

/// <summary>Coded weights for engines that read AutoAWQ's folders, which <c>kvpareto quantize</c> makes of the same codes.</summary>
internal sealed record AwqFolder
{
    private AwqFolder(string model, IReadOnlyList<string>? making, IReadOnlyList<string> differences) =>
        (Model, Making, Differences) = (model, making, differences);

    /// <summary>What stands for the model in a command line.</summary>
    public string Model { get; }

    /// <summary>The command that makes it; null where the model is taken as it is.</summary>
    public IReadOnlyList<string>? Making { get; }

    /// <summary>What such a folder cannot hold.</summary>
    public IReadOnlyList<string> Differences { get; }

    /// <summary>True where the linear layers are in AWQ's format.</summary>
    public bool IsPacked => Making is not null;

    /// <summary>The folder of a weight precision.</summary>
    /// <param name="weights">Precision.</param>
    /// <param name="bits">Bits that the engine reads.</param>
    /// <param name="groups">Groups that the engine reads.</param>
    public static AwqFolder Of(WeightSpec weights, IReadOnlyList<int> bits, IReadOnlyList<int> groups)
    {
        var differences = new List<string>();
        if (weights.EmbeddingBits < 16)
            differences.Add($"keeps embedding and output head at 16 bits, here they have {weights.EmbeddingBits}");
        if (weights.Method == "none") return new(EngineRequest.Model, null, differences);
        if (weights.Method == "gguf")
            return new(EngineRequest.Model, null,
                [.. differences, $"is not given GGUF's {weights.Form!.Word} here; AWQ with {weights.CodeBits} bits comes near"]);
        var group = weights.Form?.Group ?? weights.Group;
        if (!bits.Contains(weights.CodeBits))
            differences.Add($"has no kernel for AWQ's format with {weights.CodeBits} bits; it reads {Words(bits)}");
        if (!groups.Contains(group))
            differences.Add(Invariant($"reads AWQ's groups of {Words(groups)}, not of {group}"));
        if (!bits.Contains(weights.CodeBits) || !groups.Contains(group)) return new(EngineRequest.Model, null, differences);
        string[] making =
        [
            "kvpareto quantize " + EngineRequest.Model, $"--method {weights.Method}",
            Invariant($"--bits {weights.CodeBits}"),
            Invariant($"--group {group}"), "--out AWQ-DIR",
        ];
        return new("AWQ-DIR", making, differences);
    }

    private static string Words(IReadOnlyList<int> numbers) => string.Join(" or ", numbers);
}
