using System.Collections.Immutable;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Weights;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Awq;

/// <summary>
/// How a checkpoint's linear layers are packed: <c>quantization_config</c> of <c>config.json</c> as AutoAWQ writes it
/// (arXiv 2306.00978; layout <c>gemm</c>, <see cref="AwqLayout"/>).
/// </summary>
/// <param name="Bits">4, or 8 in vLLM's extension of the layout.</param>
/// <param name="GroupSize">Input channels that share scale and zero point; −1 for a whole row.</param>
/// <param name="NotConverted">A layer whose name contains one of these keeps its weight.</param>
public sealed record AwqConfig(int Bits, int GroupSize, ImmutableArray<string> NotConverted)
{
    /// <summary>A group is a multiple of this.</summary>
    public const int GroupStep = 32;

    private const int LargestGroup = 1 << 20;
    private const int MostExceptions = 4096;

    private static readonly int[] EngineGroups = [256, 128, 64, GroupStep];

    /// <summary>Reads the section.</summary>
    /// <exception cref="ConfigException">It describes another method, version or layout.</exception>
    internal static AwqConfig Read(JsonSection section)
    {
        section.Word("quant_method", ["awq"]);
        section.Word("version", ["gemm", "GEMM"], "gemm");
        if (!section.Flag("zero_point", true)) throw section.Refuse("zero_point", "true");
        var bits = section.Integer("bits", 1, 64);
        if (bits is not (4 or 8)) throw section.Refuse("bits", "4, 8");
        var group = section.Integer("group_size", -1, LargestGroup);
        if (group != -1 && (group < GroupStep || group % GroupStep != 0))
            throw section.Refuse("group_size", $"-1 or a multiple of {GroupStep}");
        return new(bits, group, section.Texts("modules_to_not_convert", MostExceptions));
    }

    /// <summary>True where a weight is packed: all linear layers but the exceptions.</summary>
    internal bool Converts(WeightShape weight) =>
        weight.Role == WeightRole.Projection && !NotConverted.Any(part => weight.Layer.Contains(part, StringComparison.Ordinal));

    /// <summary>Input channels of a group of a weight with <paramref name="columns"/> of them.</summary>
    internal int GroupOf(int columns) => GroupSize == -1 ? columns : GroupSize;

    /// <summary>How a packed weight comes to the backend: in the widest groups that the engine has and that divide its own.</summary>
    /// <exception cref="ConfigException">Its shape does not fit the packing; names <paramref name="file"/> and weight.</exception>
    internal StoredWeight Stored(WeightShape weight, string file)
    {
        var (own, outputs) = (GroupOf(weight.Columns), AwqLayout.WordOutputs(Bits));
        var name = $"{file}: tensor '{weight.Layer}.{AwqLayout.Codes}'";
        if (weight.Columns % own != 0 || own % GroupStep != 0)
            throw new ConfigException($"{name} has {weight.Columns} input channels;"
                + $" group_size {GroupSize} asks for a multiple of {Math.Max(GroupSize, GroupStep)}");
        if (weight.Rows % outputs != 0)
            throw new ConfigException($"{name} has {weight.Rows} outputs; allowed: a multiple of {outputs}");
        var group = EngineGroups.First(candidate => own % candidate == 0);
        var codeBytes = (long)weight.Rows * weight.Columns / 8 * Bits;
        return new(WeightFormats.OfCodes(Bits), group, codeBytes + (long)weight.Rows * (weight.Columns / group) * GroupMeta.ByteSize);
    }
}
