using System.Globalization;
using System.Text.RegularExpressions;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Settings;

/// <summary>
/// The grammar of short names: parts joined by '-', in this order.
/// <code>
/// w16a16 | w8a16 | w4g64a16    weight bits: 16, 8, 4 (group of the codes, where not 128)
/// e8                           embedding and output head bits: 8, 4; left out for 16
/// k8v4                         key and value bits: 2, 4, 8, 16, and 32 for comparison with f32 references
/// t64 | kch32-vt64             granularity, of both or of each; left out where both are 16 bits:
///                              tN token:N, chN channel:N, bN block:N, tensor, pow2
/// smooth                       K-smoothing
/// prebias                      keys coded without their bias
/// rotk | rotkv                 rotation of keys, or of keys and values
/// clip96                       percent of the range that codes span
/// sink4                        first tokens at 16 bits
/// recent64                     latest tokens at 16 bits
/// edge2                        first and last layers at 16 bits
/// c256                         prefill chunk; left out where the prompt is fed whole
/// math                         attention kernel; left out for flash
/// </code>
/// </summary>
internal static partial class SettingName
{
    private const int DefaultGroup = 128;

    private const string Allowed =
        "a setting looks like w4a16-k8v4-t64-smooth-c256: weights w16a16, w8a16, w4a16, w4g32a16 or w4g64a16; then e8 or e4 for a coded embedding and head; bits k2, k4, k8, k16 with v2, v4, v8, v16; " +
        "groups tN, chN, bN, tensor or pow2 (or of each: kch32-vt64); then where wanted, in this order: smooth, prebias, rotk or rotkv, clipN, sinkN, recentN, edgeN, cN, math";

    public static string Format(InferenceSetting setting)
    {
        var (weights, cache) = (setting.Weights, setting.Cache);
        var parts = new List<string>
        {
            weights.Group == DefaultGroup || !weights.IsCoded ? $"w{weights.Bits}a16" : $"w{weights.Bits}g{weights.Group}a16",
        };
        if (weights.EmbeddingBits < 16) parts.Add($"e{weights.EmbeddingBits}");
        parts.Add($"k{cache.KeyBits}v{cache.ValueBits}");
        var (key, value) = (Short(cache.KeyGranularity), Short(cache.ValueGranularity));
        if (cache.KeyBits < 16 && cache.ValueBits < 16 && key != value) parts.AddRange(["k" + key, "v" + value]);
        else if (cache.KeyBits < 16) parts.Add(key);
        else if (cache.ValueBits < 16) parts.Add(value);
        if (cache.SmoothKeys) parts.Add("smooth");
        if (cache.PreBiasKeys) parts.Add("prebias");
        if (cache.Rotation != KvRotation.None) parts.Add(cache.Rotation == KvRotation.Keys ? "rotk" : "rotkv");
        if (cache.ClipPercent != 100) parts.Add($"clip{cache.ClipPercent}");
        if (cache.SinkTokens > 0) parts.Add($"sink{cache.SinkTokens}");
        if (cache.RecentTokens > 0) parts.Add($"recent{cache.RecentTokens}");
        if (cache.EdgeLayers > 0) parts.Add($"edge{cache.EdgeLayers}");
        if (setting.Chunk is int chunk) parts.Add($"c{chunk}");
        if (setting.Attention == AttentionKernel.Math) parts.Add("math");
        return string.Join('-', parts);
    }

    public static InferenceSetting Parse(string name)
    {
        var parts = new Queue<string>(name.Split('-'));
        var w = Take(parts, WeightsPart()) ?? throw Unreadable(name, parts);
        var embeddingBits = Take(parts, EmbeddingPart()) is { } e ? Number(e, "bits") : 16;
        var hasGroup = w.Groups["group"].Success;
        var weights = new WeightSpec(Number(w, "bits"), hasGroup ? Number(w, "group") : DefaultGroup, embeddingBits);
        if (hasGroup && !weights.IsCoded) throw new ConfigException($"setting '{name}': '{w.Value}' has a group, but nothing is coded; {Allowed}");
        var bits = Take(parts, BitsPart()) ?? throw Unreadable(name, parts);
        var cache = new KvSpec { KeyBits = Number(bits, "key"), ValueBits = Number(bits, "value") };
        if (Take(parts, GroupPart()) is { } both)
        {
            cache = cache with { KeyGranularity = Granularity(both), ValueGranularity = Granularity(both) };
        }
        else if (Take(parts, KeyGroupPart()) is { } key)
        {
            var value = Take(parts, ValueGroupPart()) ?? throw Unreadable(name, parts);
            cache = cache with { KeyGranularity = Granularity(key), ValueGranularity = Granularity(value) };
        }
        cache = cache with
        {
            SmoothKeys = Take(parts, SmoothPart()) is not null,
            PreBiasKeys = Take(parts, PreBiasPart()) is not null,
            Rotation = Take(parts, RotationPart()) is { } rotation ? rotation.Groups["values"].Success ? KvRotation.KeysAndValues : KvRotation.Keys : KvRotation.None,
            ClipPercent = Take(parts, ClipPart()) is { } clip ? Number(clip, "number") : 100,
            SinkTokens = Take(parts, SinkPart()) is { } sink ? Number(sink, "number") : 0,
            RecentTokens = Take(parts, RecentPart()) is { } recent ? Number(recent, "number") : 0,
            EdgeLayers = Take(parts, EdgePart()) is { } edge ? Number(edge, "number") : 0,
        };
        int? chunk = Take(parts, ChunkPart()) is { } c ? Number(c, "chunk") : null;
        var attention = Take(parts, MathPart()) is not null ? AttentionKernel.Math : AttentionKernel.Flash;
        if (parts.Count > 0) throw Unreadable(name, parts);
        return new InferenceSetting { Weights = weights, Cache = cache, Chunk = chunk, Attention = attention };
    }

    private static string Short(KvGranularity granularity) => granularity.Axis switch
    {
        KvAxis.Token => $"t{granularity.Group}",
        KvAxis.Channel => $"ch{granularity.Group}",
        KvAxis.Block => $"b{granularity.Group}",
        KvAxis.Tensor => "tensor",
        KvAxis.PowerOfTwo => "pow2",
        _ => throw new ArgumentOutOfRangeException(nameof(granularity), granularity.Axis, "an axis without a short name"),
    };

    private static KvGranularity Granularity(Match match)
    {
        var axis = match.Groups["axis"].ValueSpan switch
        {
            "t" => KvAxis.Token,
            "ch" => KvAxis.Channel,
            "b" => KvAxis.Block,
            _ => match.Groups["whole"].Value switch
            {
                "tensor" => KvAxis.Tensor,
                "pow2" => KvAxis.PowerOfTwo,
                var word => throw new ArgumentOutOfRangeException(nameof(match), word, "a granularity without an axis"),
            },
        };
        return new(axis, match.Groups["group"].Success ? Number(match, "group") : 0);
    }

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    private static Match? Take(Queue<string> parts, Regex pattern)
    {
        if (!parts.TryPeek(out var part) || pattern.Match(part) is not { Success: true } match) return null;
        parts.Dequeue();
        return match;
    }

    private static ConfigException Unreadable(string name, Queue<string> rest) =>
        new($"setting '{OneLine.Of(name)}': {(rest.TryPeek(out var part) ? $"'{OneLine.Of(part)}' is not understood here" : "a part is missing")}; {Allowed}");

    [GeneratedRegex(@"^w(?<bits>16|8|4)(g(?<group>32|64|128))?a16\z")]
    private static partial Regex WeightsPart();

    [GeneratedRegex(@"^e(?<bits>8|4)\z")]
    private static partial Regex EmbeddingPart();

    [GeneratedRegex(@"^k(?<key>2|4|8|16|32)v(?<value>2|4|8|16|32)\z")]
    private static partial Regex BitsPart();

    [GeneratedRegex(@"^((?<axis>t|ch|b)(?<group>[1-9][0-9]{0,3})|(?<whole>tensor|pow2))\z")]
    private static partial Regex GroupPart();

    [GeneratedRegex(@"^k((?<axis>t|ch|b)(?<group>[1-9][0-9]{0,3})|(?<whole>tensor|pow2))\z")]
    private static partial Regex KeyGroupPart();

    [GeneratedRegex(@"^v((?<axis>t|ch|b)(?<group>[1-9][0-9]{0,3})|(?<whole>tensor|pow2))\z")]
    private static partial Regex ValueGroupPart();

    [GeneratedRegex(@"^prebias\z")]
    private static partial Regex PreBiasPart();

    [GeneratedRegex(@"^rotk(?<values>v)?\z")]
    private static partial Regex RotationPart();

    [GeneratedRegex(@"^clip(?<number>[1-9][0-9]?)\z")]
    private static partial Regex ClipPart();

    [GeneratedRegex(@"^sink(?<number>[1-9][0-9]{0,4})\z")]
    private static partial Regex SinkPart();

    [GeneratedRegex(@"^recent(?<number>[1-9][0-9]{0,4})\z")]
    private static partial Regex RecentPart();

    [GeneratedRegex(@"^edge(?<number>[1-9][0-9]{0,2})\z")]
    private static partial Regex EdgePart();

    [GeneratedRegex(@"^smooth\z")]
    private static partial Regex SmoothPart();

    [GeneratedRegex(@"^c(?<chunk>[1-9][0-9]{0,6})\z")]
    private static partial Regex ChunkPart();

    [GeneratedRegex(@"^math\z")]
    private static partial Regex MathPart();
}
