using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>What a setting has on an axis.</summary>
/// <param name="Order">Where it stands among the others.</param>
/// <param name="Text">For a legend.</param>
internal readonly record struct AxisValue(double Order, string Text);

/// <summary>An axis of settings that a figure can show as colour or shape, and that a short label names.</summary>
/// <param name="Title">Heading in a legend.</param>
/// <param name="Place">Where names have it.</param>
/// <param name="ValueOf">A setting's value; null where the axis means nothing for it.</param>
/// <param name="PartOf">What a label says of it; empty where a name leaves it out.</param>
internal sealed record SettingAxis(
    string Title, int Place, Func<InferenceSetting, AxisValue?> ValueOf, Func<InferenceSetting, string> PartOf)
{
    private static readonly SettingAxis CacheBits = new(
        "KV cache, lower of keys and values", 1,
        setting => Bits(LowerBits(setting)),
        setting => $"k{setting.Cache.KeyBits}v{setting.Cache.ValueBits}");

    private static readonly SettingAxis CachePair = new(
        "KV cache", 1,
        setting => new(-100 * setting.Cache.KeyBits - setting.Cache.ValueBits, CacheBits.PartOf(setting)),
        CacheBits.PartOf);

    private static readonly SettingAxis WeightBits = new("Weights", 0, setting => Bits(setting.Weights.Bits), WeightsPart);

    private static readonly SettingAxis WeightCoding = new(
        "Weights", 0,
        setting => new(-setting.Weights.Group - 1000 * setting.Weights.EmbeddingBits, WeightsPart(setting)),
        WeightsPart);

    /// <summary>
    /// All axes in the order in which they take colour and shape. Of two that stand together the second says more of the same thing,
    /// and is looked at where the first does not vary.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<SettingAxis>> All { get; } =
    [
        [CacheBits, CachePair],
        [WeightBits, WeightCoding],
        [new("Granularity", 2, setting => setting.Cache.IsCoded ? new(GranularityOrder(setting.Cache), Granularity(setting)) : null, Granularity)],
        [new("Before coding", 3, setting => setting.Cache.IsCoded ? Words(Treatment(setting), "plain") : null, Treatment)],
        [new("At 16 bits", 4, setting => setting.Cache.IsCoded ? Words(Kept(setting), "nothing") : null, Kept)],
        [new("Chunk", 5, setting => setting.Chunk is int chunk ? new(chunk, $"{chunk}") : new(double.MaxValue, "whole prompt"),
            setting => setting.Chunk is int chunk ? $"c{chunk}" : "")],
        [new("Attention", 6, setting => setting.Attention == AttentionKernel.Math ? new(1, "math") : new(0, "flash"),
            setting => setting.Attention == AttentionKernel.Math ? "math" : "")],
    ];

    /// <summary>Whether this is the axis whose colours are the same in every figure.</summary>
    public bool IsCacheBits => this == CacheBits;

    /// <summary>The lower of key and value bits.</summary>
    public static int LowerBits(InferenceSetting setting) => Math.Min(setting.Cache.KeyBits, setting.Cache.ValueBits);

    private static AxisValue Bits(int bits) => new(-bits, $"{bits} bits");

    private static AxisValue Words(string words, string none) => words.Length == 0 ? new(0, none) : new(words.Length, words);

    private static string WeightsPart(InferenceSetting setting)
    {
        var parts = setting.Name.Split('-');
        return parts[0][..parts[0].LastIndexOf('a')] + (setting.Weights.EmbeddingBits < 16 ? $"-e{setting.Weights.EmbeddingBits}" : "");
    }

    private static string Granularity(InferenceSetting setting) => Parts(setting, part =>
        part is "tensor" or "pow2" or "ktensor" or "vtensor" or "kpow2" or "vpow2" || IsGroup(part) || part[0] is 'k' or 'v' && IsGroup(part[1..]));

    private static bool IsGroup(string part) => part.TrimEnd("0123456789".ToCharArray()) is "t" or "ch" or "b" && char.IsAsciiDigit(part[^1]);

    private static double GranularityOrder(KvSpec cache)
    {
        var granularity = cache.KeyBits < 16 ? cache.KeyGranularity : cache.ValueGranularity;
        return 10_000 * (int)granularity.Axis + granularity.Group + cache.ValueGranularity.Group / 10_000.0 + (int)cache.ValueGranularity.Axis / 10.0;
    }

    private static string Treatment(InferenceSetting setting) => Parts(setting, part =>
        part is "smooth" or "prebias" or "rotk" or "rotkv" || part.StartsWith("clip", StringComparison.Ordinal));

    private static string Kept(InferenceSetting setting) => Parts(setting, part =>
        part.StartsWith("sink", StringComparison.Ordinal) || part.StartsWith("recent", StringComparison.Ordinal)
        || part.StartsWith("edge", StringComparison.Ordinal));

    /// <summary>The parts of the short name, after weights and bits, that belong to an axis.</summary>
    private static string Parts(InferenceSetting setting, Predicate<string> belongs) =>
        string.Join('-', setting.Name.Split('-').Skip(1).Where(part => belongs(part)));
}
