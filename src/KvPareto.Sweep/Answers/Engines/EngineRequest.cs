using KvPareto.Engine;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Settings;

namespace KvPareto.Sweep.Answers.Engines;

/// <summary>What an engine is asked to run.</summary>
/// <param name="Setting">Setting.</param>
/// <param name="Tokens">Prompt and new tokens together.</param>
/// <param name="Layers">Decoder layers; null where they are not known.</param>
internal sealed record EngineRequest(InferenceSetting Setting, int Tokens, int? Layers)
{
    /// <summary>Stands for the user's model.</summary>
    public const string Model = "MODEL";

    /// <summary>Bits of keys and values.</summary>
    public (int Keys, int Values) Bits => (Setting.Cache.Keys.Bits, Setting.Cache.Values.Bits);

    /// <summary>True where something of the cache is coded.</summary>
    public bool IsCoded => Setting.Cache.IsCoded;

    /// <summary>Tokens rounded up to a multiple.</summary>
    public int TokensIn(int multiple) => (Tokens + multiple - 1) / multiple * multiple;

    /// <summary>Layers at the edges that stay at 16 bits, from 0; none where there are none or their number is not known.</summary>
    public IReadOnlyList<int> EdgeLayers => Layers is { } layers
        ? [.. Enumerable.Range(0, layers).Where(layer => !Setting.Cache.ForLayer(layer, layers).IsCoded && IsCoded)]
        : [];

    /// <summary>
    /// What the setting does to the cache that an engine cannot be told to do, in words; parts that it can are named in
    /// <paramref name="said"/>.
    /// </summary>
    public IEnumerable<string> Unsaid(params IReadOnlyList<CachePart> said)
    {
        var cache = Setting.Cache;
        foreach (var (part, isUsed, words) in new[]
        {
            (CachePart.Smooth, cache.SmoothKeys, "smoothed keys"),
            (CachePart.PreBias, cache.PreBiasKeys, "keys coded without their bias"),
            (CachePart.Rotation, cache.Rotation != KvRotation.None, "rotation before coding"),
            (CachePart.Clip, cache.Fit.Clip < 1, $"clipping to {cache.Fit.ClipPercent} % of the range"),
            (CachePart.Sink, cache.SinkTokens > 0, $"the first {CountText.Of(cache.SinkTokens, "token")} at 16 bits"),
            (CachePart.Recent, cache.RecentTokens > 0, $"the latest {CountText.Of(cache.RecentTokens, "token")} at 16 bits"),
            (CachePart.Edge, cache.EdgeLayers > 0, $"{CountText.Of(cache.EdgeLayers, "layer")} at either end at 16 bits"),
        })
        {
            if (IsCoded && isUsed && !said.Contains(part)) yield return $"has no option for {words}";
        }
    }

    /// <summary>Granularity of the coded sides in words.</summary>
    public string Granularity
    {
        get
        {
            var (keys, values) = (Setting.Cache.Keys, Setting.Cache.Values);
            if (!values.IsCoded || (keys.IsCoded && keys.Granularity == values.Granularity)) return keys.Granularity.ToString();
            return keys.IsCoded ? $"{keys.Granularity} for keys and {values.Granularity} for values" : values.Granularity.ToString();
        }
    }

    /// <summary>True where every coded side has one of these granularities.</summary>
    public bool Has(params IReadOnlyList<KvGranularity> granularities) =>
        new[] { Setting.Cache.Keys, Setting.Cache.Values }.All(side => !side.IsCoded || granularities.Contains(side.Granularity));
}

/// <summary>What a setting may do to the cache besides bits and granularity.</summary>
internal enum CachePart
{
    /// <summary>K-smoothing.</summary>
    Smooth,

    /// <summary>Keys coded without their bias.</summary>
    PreBias,

    /// <summary>Rotation before coding.</summary>
    Rotation,

    /// <summary>Clipping.</summary>
    Clip,

    /// <summary>First tokens at 16 bits.</summary>
    Sink,

    /// <summary>Latest tokens at 16 bits.</summary>
    Recent,

    /// <summary>Edge layers at 16 bits.</summary>
    Edge,
}
