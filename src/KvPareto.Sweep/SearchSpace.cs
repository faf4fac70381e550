using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Config;
using KvPareto.Text.Input;

namespace KvPareto.Sweep;

/// <summary>The settings that a config means, each once, always in the same order.</summary>
public static class SearchSpace
{
    private const int MaxSettings = 100_000;

    /// <summary>
    /// The baseline, then the axes' product (weights outermost, attention innermost) as include and exclude leave it, then the
    /// settings named one by one. Settings that differ only where it makes no difference are one.
    /// </summary>
    /// <exception cref="ConfigException">A pattern matches nothing, or there are too many settings.</exception>
    public static IReadOnlyList<InferenceSetting> Expand(SweepConfig config)
    {
        if (config.Axes is { Count: > MaxSettings } wide)
            throw new ConfigException($"{config.Name}: the axes make {wide.Count} settings; allowed: at most {MaxSettings}");
        var product = Distinct(config.Axes is null ? [] : Product(config.Axes));
        foreach (var pattern in config.Include.Concat(config.Exclude))
            if (!product.Any(pattern.Matches))
                throw pattern.Place.Error($"matches none of the {product.Length} settings of the axes", "patterns that match");

        var chosen = product
            .Where(setting => config.Include.Count == 0 || config.Include.Any(pattern => pattern.Matches(setting)))
            .Where(setting => !config.Exclude.Any(pattern => pattern.Matches(setting)));
        return Distinct([config.Baseline, .. chosen, .. config.Settings]);
    }

    /// <summary>
    /// The same setting with everything at its default that makes no difference: the granularity of a side at 16 bits, what is done to
    /// keys or values that are not coded, the group where no weights are coded.
    /// </summary>
    internal static InferenceSetting Collapse(InferenceSetting setting)
    {
        var (cache, full) = (setting.Cache, KvSpec.Full);
        if (cache.KeyBits >= 16) cache = cache with { KeyGranularity = full.KeyGranularity, SmoothKeys = false, PreBiasKeys = false };
        if (cache.ValueBits >= 16) cache = cache with { ValueGranularity = full.ValueGranularity };
        if (cache.Rotation == KvRotation.KeysAndValues && cache.ValueBits >= 16) cache = cache with { Rotation = KvRotation.Keys };
        if (cache.Rotation == KvRotation.Keys && cache.KeyBits >= 16) cache = cache with { Rotation = KvRotation.None };
        if (!cache.IsCoded) cache = full with { KeyBits = cache.KeyBits, ValueBits = cache.ValueBits };
        return setting with { Cache = cache, Weights = setting.Weights.IsCoded ? setting.Weights : WeightSpec.Full };
    }

    private static InferenceSetting[] Distinct(IEnumerable<InferenceSetting> settings) =>
        [.. settings.Select(Collapse).DistinctBy(setting => setting.Name)];

    private static IEnumerable<InferenceSetting> Product(SweepAxes axes) =>
        from weights in axes.Weights
        from embeddingBits in axes.EmbeddingBits
        from cache in axes.Cache
        from groups in axes.Granularity
        from smooth in axes.Smooth
        from preBias in axes.PreBias
        from rotation in axes.Rotation
        from clip in axes.Clip
        from sink in axes.Sink
        from recent in axes.Recent
        from edge in axes.Edge
        from chunk in axes.Chunk
        from attention in axes.Attention
        select new InferenceSetting
        {
            Weights = weights with { EmbeddingBits = embeddingBits },
            Cache = groups with
            {
                KeyBits = cache.KeyBits,
                ValueBits = cache.ValueBits,
                SmoothKeys = smooth,
                PreBiasKeys = preBias,
                Rotation = rotation,
                ClipPercent = clip,
                SinkTokens = sink,
                RecentTokens = recent,
                EdgeLayers = edge,
            },
            Chunk = chunk,
            Attention = attention,
        };
}
