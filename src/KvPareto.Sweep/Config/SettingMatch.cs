using System.Text.RegularExpressions;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;

namespace KvPareto.Sweep.Config;

/// <summary>A pattern over settings, of <c>include</c> or <c>exclude</c>.</summary>
/// <param name="Place">Where it stands.</param>
/// <param name="Matches">True for the settings it means.</param>
internal sealed record SettingMatch(ConfigValue Place, Func<InferenceSetting, bool> Matches)
{
    private const string Allowed = "a short name with * and ?, such as w4*-k4v4-*, or a mapping such as {cache: k2v2, smooth: false}";

    /// <summary>Reads a short name with wildcards, or a mapping of axes to a value or a list of values.</summary>
    public static SettingMatch Read(ConfigValue value)
    {
        if (value.Node is YamlScalar) return new(value, Glob(value.Text(Allowed)));
        if (value.Node is not YamlMapping { Values.Count: > 0 }) throw value.Error("is no pattern", Allowed);

        var map = value.Map(SweepConfigReader.AxisKeys);
        var tests = new List<Func<InferenceSetting, bool>>();
        Add("weights", AxisValue.Weights, (setting, weights) => HasWeights(setting.Weights, weights));
        Add("embedding", AxisValue.EmbeddingBits, (setting, bits) => setting.Weights.EmbeddingBits == bits);
        Add("cache", AxisValue.Cache, (setting, bits) => HasBits(setting.Cache, bits));
        Add("granularity", AxisValue.Granularity, (setting, groups) => HasGranularity(setting.Cache, groups));
        Add("smooth", AxisValue.Flag, (setting, smooth) => setting.Cache.SmoothKeys == smooth);
        Add("prebias", AxisValue.Flag, (setting, prebias) => setting.Cache.PreBiasKeys == prebias);
        Add("rotation", AxisValue.Rotation, (setting, rotation) => setting.Cache.Rotation == rotation);
        Add("clip", AxisValue.Clip, (setting, clip) => setting.Cache.ClipPercent == clip);
        Add("sink", AxisValue.Tokens, (setting, sink) => setting.Cache.SinkTokens == sink);
        Add("recent", AxisValue.Tokens, (setting, recent) => setting.Cache.RecentTokens == recent);
        Add("edge", AxisValue.Edge, (setting, edge) => setting.Cache.EdgeLayers == edge);
        Add("chunk", AxisValue.Chunk, (setting, chunk) => setting.Chunk == chunk);
        Add("attention", AxisValue.Attention, (setting, attention) => setting.Attention == attention);
        return new(value, setting => tests.TrueForAll(test => test(setting)));

        void Add<T>(string axis, Func<ConfigValue, T> read, Func<InferenceSetting, T, bool> equal)
        {
            if (map.Find(axis) is not { } found) return;
            T[] wanted = found.Node is YamlSequence ? [.. found.List(Allowed).Select(read)] : [read(found)];
            tests.Add(setting => wanted.Any(value => equal(setting, value)));
        }
    }

    // 16-bit linear layers have no group; a coded embedding's is not what is asked for.
    private static bool HasWeights(WeightSpec setting, WeightSpec wanted) =>
        setting.Bits == wanted.Bits && (setting.Bits == 16 || setting.Group == wanted.Group);

    private static bool HasBits(KvSpec cache, KvSpec bits) => cache.KeyBits == bits.KeyBits && cache.ValueBits == bits.ValueBits;

    // A side at 16 bits has no granularity; a setting with both sides at 16 bits is meant by none.
    private static bool HasGranularity(KvSpec cache, KvSpec groups) =>
        (cache.KeyBits < 16 || cache.ValueBits < 16)
        && (cache.KeyBits == 16 || cache.KeyGranularity == groups.KeyGranularity)
        && (cache.ValueBits == 16 || cache.ValueGranularity == groups.ValueGranularity);

    private static Func<InferenceSetting, bool> Glob(string pattern)
    {
        var expression = Regex.Escape(pattern).Replace(@"\*", ".*", StringComparison.Ordinal).Replace(@"\?", ".", StringComparison.Ordinal);
        var regex = new Regex($"^{expression}$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        return setting => regex.IsMatch(setting.Name);
    }
}
