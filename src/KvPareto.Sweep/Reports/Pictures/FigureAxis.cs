using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
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
internal sealed record FigureAxis(
    string Title, int Place, Func<InferenceSetting, AxisValue?> ValueOf, Func<InferenceSetting, string> PartOf)
{
    private static readonly FigureAxis CacheBits = new(
        "KV cache, lower of keys and values", 1,
        setting => Bits(LowerBits(setting)),
        setting => SettingAxes.Find("cache").WordOf(setting));

    private static readonly FigureAxis CachePair = new(
        "KV cache", 1,
        setting => new(-100 * setting.Cache.Keys.Bits - setting.Cache.Values.Bits, CacheBits.PartOf(setting)),
        CacheBits.PartOf);

    private static readonly FigureAxis WeightBits = new("Weights", 0, setting => WeightsValue(setting.Weights), WeightsPart);

    private static readonly FigureAxis WeightCoding = new(
        "Weights", 0,
        setting => new(
            WeightsValue(setting.Weights)
                .Order * 100_000 - setting.Weights.Group - 1000 * setting.Weights.EmbeddingBits, WeightsPart(setting)),
        WeightsPart);

    /// <summary>
    /// All axes in the order in which they take colour and shape. Of two that stand together the second says more of the same thing,
    /// and is looked at where the first does not vary.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<FigureAxis>> All { get; } =
    [
        [CacheBits, CachePair],
        [WeightBits, WeightCoding],
        [new("Granularity", 2, setting =>
            setting.Cache.IsCoded ? new(GranularityOrder(setting.Cache), Granularity(setting)) : null, Granularity)],
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
    public static int LowerBits(InferenceSetting setting) => Math.Min(setting.Cache.Keys.Bits, setting.Cache.Values.Bits);

    private static AxisValue Bits(int bits) => new(-bits, $"{bits} bits");

    // Methods of as many bits stand together, round to nearest first: it is what the others are to be better than.
    private static AxisValue WeightsValue(WeightSpec weights) => weights.Form switch
    {
        null => Bits(weights.Bits),
        { Method: "awq", Bits: var bits } => new(0.25 - bits, $"{bits} bits, AWQ"),
        { } form => new(0.5 - form.Bits, form.Word.ToUpperInvariant()),
    };

    private static AxisValue Words(string words, string none) => words.Length == 0 ? new(0, none) : new(words.Length, words);

    private static string WeightsPart(InferenceSetting setting)
    {
        var embedding = Parts(setting, "embedding");
        return SettingAxes.Find("weights").WordOf(setting) + (embedding.Length > 0 ? $"-{embedding}" : "");
    }

    private static string Granularity(InferenceSetting setting) => Parts(setting, "granularity");

    private static double GranularityOrder(KvSpec cache)
    {
        var granularity = cache.Keys.Bits < 16 ? cache.Keys.Granularity : cache.Values.Granularity;
        return 10_000 * (int)granularity.Axis + granularity.Group + cache.Values.Granularity.Group / 10_000.0
            + (int)cache.Values.Granularity.Axis / 10.0;
    }

    private static string Treatment(InferenceSetting setting) => Parts(setting, "smooth", "prebias", "rotation", "clip");

    private static string Kept(InferenceSetting setting) => Parts(setting, "sink", "recent", "edge");

    /// <summary>What a short name says of some axes.</summary>
    private static string Parts(InferenceSetting setting, params ReadOnlySpan<string> keys)
    {
        var parts = new List<string>();
        foreach (var key in keys) parts.AddRange(SettingAxes.Find(key).Parts(setting));
        return string.Join('-', parts);
    }
}
