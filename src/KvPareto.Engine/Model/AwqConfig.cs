using System.Collections.Immutable;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Weights;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Model;

/// <summary>
/// How a checkpoint's linear layers are packed: <c>quantization_config</c> of <c>config.json</c> as AutoAWQ writes it, and others after it
/// (arXiv 2306.00978; layout <c>gemm</c>, <see cref="AwqLayout"/>).
/// </summary>
/// <param name="Bits">4, or 8 in vLLM's extension of the layout.</param>
/// <param name="GroupSize">Input channels that share scale and zero point; −1 for a whole row.</param>
/// <param name="NotConverted">A layer whose name contains one of these keeps its weight.</param>
public sealed record AwqConfig(int Bits, int GroupSize, ImmutableArray<string> NotConverted)
{
    /// <summary>A group is a multiple of this.</summary>
    public const int GroupStep = 32;

    private const string OldFile = "quant_config.json";
    private const int LargestGroup = 1 << 20;
    private const int MostExceptions = 4096;

    private static readonly string[] Layouts = ["gemm", "GEMM"];

    // Read, or of how another tool made or runs the layers.
    private static readonly string[] KnownKeys =
    [
        "quant_method", "version", "format", "checkpoint_format", "zero_point", "sym", "desc_act", "lm_head", "bits", "w_bit", "group_size",
            "q_group_size",
        "modules_to_not_convert", "backend", "do_fuse", "modules_to_fuse", "fuse_max_seq_len", "exllama_config", "pack_dtype", "meta",
            "quantizer",
        "damp_percent", "damp_auto_increment", "true_sequential", "static_groups", "pad_zero_embeddings",
    ];

    /// <summary>Reads the packing of a folder: <c>quantization_config</c> of its <c>config.json</c>, or the file <c>quant_config.json</c>
    /// that AutoAWQ wrote in 2023; null where it has neither.</summary>
    /// <exception cref="ConfigException">It describes another method, version or layout.</exception>
    internal static AwqConfig? Of(JsonSection config)
    {
        if (config.Section("quantization_config") is { } section && !IsRemnant(section)) return Read(section);
        var file = Path.Combine(Path.GetDirectoryName(config.File) ?? "", OldFile);
        return File.Exists(file) ? Read(JsonSection.Read(file)) : null;
    }

    // What tools leave behind where nothing is packed: an empty section, or that of bitsandbytes with both its switches off.
    private static bool IsRemnant(JsonSection section) =>
        !section.Keys.Any()
            || (section.IsWord("quant_method", ["bitsandbytes"]) && !section.Flag("load_in_4bit", false)
            && !section.Flag("load_in_8bit", false));

    /// <summary>Reads the section.</summary>
    /// <exception cref="ConfigException">It describes another method, version or layout.</exception>
    internal static AwqConfig Read(JsonSection section)
    {
        // The keys of 2023 do not name the method.
        var isOld = section.Has("w_bit");
        var (bitsKey, groupKey) = isOld ? ("w_bit", "q_group_size") : ("bits", "group_size");
        section.Word("quant_method", ["awq"], isOld ? "awq" : null);
        foreach (var key in new[] { "version", "format", "checkpoint_format" }) section.Word(key, Layouts, "gemm");
        if (!section.Flag("zero_point", true)) throw section.Refuse("zero_point", "true");
        foreach (var key in new[] { "sym", "desc_act", "lm_head" })
            if (section.Flag(key, false)) throw section.Refuse(key, "false");
        if (section.Keys.FirstOrDefault(key => !KnownKeys.Contains(key) && !section.IsNeutral(key)) is { } unknown)
            throw section.Unknown(unknown);
        var bits = section.Integer(bitsKey, 1, 64);
        if (bits is not (4 or 8)) throw section.Refuse(bitsKey, "4, 8");
        var group = section.Integer(groupKey, -1, LargestGroup);
        if (group != -1 && (group < GroupStep || group % GroupStep != 0))
            throw section.Refuse(groupKey, $"-1 or a multiple of {GroupStep}");
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
        var group = WeightFormats.StoredGroup(own);
        var read = HostTensor.StagingOf(weight.Columns, weight.Rows / 8 * Bits);
        var entries = (long)weight.Columns / own * weight.Rows;
        var codes = (long)weight.Rows * weight.Columns / 8 * Bits;
        return new(
            WeightFormats.OfCodes(Bits),
            group,
            codes + GroupMeta.BytesOf(weight.Rows, weight.Columns, group),
            Math.Max(read, entries / 8 * Bits + entries * sizeof(ushort)));
    }
}
