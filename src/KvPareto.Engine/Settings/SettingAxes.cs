using System.Collections.Immutable;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Settings;

/// <summary>
/// All axes, in the order of short names and of a product's loops, the outermost first. A new axis is a row here, besides the property
/// that it sets and what the backends do about it (docs/architecture.md).
/// </summary>
public static class SettingAxes
{
    private const int MostEdge = 999;

    /// <summary>The axes.</summary>
    public static ImmutableArray<SettingAxis> All { get; } =
    [
        new ValueAxis<WeightSpec>
        {
            Key = "weights",
            Words = string.Join(", ", WeightSpec.AllBits.Select(bits => $"w{bits}"))
                + ", and with a group that is a multiple of 32 up to 256, such as w4g64; or the form of one of the model's "
                + "variants: " + WeightForm.Words,
            PartWords = "w16a16, w8a16, w4a16, with a group w4g64a16; or a variant's form, awq4g128a16, q4_k_ma16",
            Meaning = "bits of the linear layers (16: as the checkpoint has them) and input channels that share a scale, which must "
                + "divide every layer's input width",
            Get = setting => setting.Weights,
            With = (setting, weights) => setting with { Weights = weights with { EmbeddingBits = setting.Weights.EmbeddingBits } },
            Word = weights => SettingWeights.Word(weights),
            Read = SettingWeights.TryRead,
            Part = weights => SettingWeights.Word(weights) + SettingWeights.Activations,
            ReadPart = SettingWeights.TryReadPart,
            IsRequired = true,
            // 16-bit linear layers have no group; a coded embedding's is not what is asked for.
            Same = (weights, wanted) =>
                weights.Form == wanted.Form && weights.Bits == wanted.Bits && (weights.Bits == 16 || weights.Group == wanted.Group),
            Settled = setting => setting.Weights.IsCoded ? setting.Weights : WeightSpec.Full with { Form = setting.Weights.Form },
            Columns =
            [
                new("weight_method", setting => setting.Weights.Method),
                new("weight_bits", setting => SettingNumber.Text(setting.Weights.CodeBits)),
                new("weight_group", GroupText),
            ],
        },
        Number("embedding", "e", string.Join(", ", WeightSpec.AllBits),
            "bits of the embedding and the output head, in the groups of weights", 16, "embedding_bits",
            setting => setting.Weights.EmbeddingBits,
            (setting, bits) => setting with { Weights = setting.Weights with { EmbeddingBits = bits } },
            bits => WeightSpec.AllBits.Contains(bits)),
        new ValueAxis<(int Keys, int Values)>
        {
            Key = "cache",
            Words = "k16v16, k8v8, k8v4, k4v2 and any other kKvV with 2, 4, 8 or 16 bits",
            PartWords = "k16v16, k8v4 and so on with 2, 4, 8 or 16 bits",
            Meaning = "bits of keys and values together",
            Covers = ["keys", "values"],
            Get = setting => (setting.Cache.Keys.Bits, setting.Cache.Values.Bits),
            With = (setting, bits) => KeyBits(ValueBits(setting, bits.Values), bits.Keys),
            Word = bits => $"k{bits.Keys}v{bits.Values}",
            Read = TryReadBits,
            Part = bits => $"k{bits.Keys}v{bits.Values}",
            ReadPart = TryReadBits,
            IsRequired = true,
        },
        Bits("keys", "bits of the keys", "key_bits", setting => setting.Cache.Keys.Bits, KeyBits),
        Bits("values", "bits of the values", "value_bits", setting => setting.Cache.Values.Bits, ValueBits),
        new GranularityAxis
        {
            Key = "granularity",
            Words = $"{GranularityAxis.All}, or keys and values apart as kch32-vt64",
            PartWords = $"groups {GranularityAxis.All}, or of each: kch32-vt64",
            Meaning = "what shares a scale: " + string.Join(", ", KvAxisKind.All.Select(kind => $"{kind.Shares} ({kind.Word})")),
            Covers = ["key_granularity", "value_granularity"],
        },
        Granularity("key_granularity", "keys", setting => setting.Cache.Keys,
            (setting, side) => setting with { Cache = setting.Cache with { Keys = side } }),
        Granularity("value_granularity", "values", setting => setting.Cache.Values,
            (setting, side) => setting with { Cache = setting.Cache with { Values = side } }),
        Flag("smooth", "K-smoothing: the first append's mean of each channel is taken off the keys",
            setting => setting.Cache.SmoothKeys,
            (setting, smooth) => setting with { Cache = setting.Cache with { SmoothKeys = smooth } },
            setting => setting.Cache.Keys.IsCoded),
        Flag("prebias", "keys coded without their projection's bias, which is added when they are read (models with one)",
            setting => setting.Cache.PreBiasKeys,
            (setting, bare) => setting with { Cache = setting.Cache with { PreBiasKeys = bare } },
            setting => setting.Cache.Keys.IsCoded),
        Choice("rotation",
            "Walsh–Hadamard rotation of keys (k), or of keys and values (kv), before coding; the head width must be a power of two",
            [("none", KvRotation.None, null), ("k", KvRotation.Keys, "rotk"), ("kv", KvRotation.KeysAndValues, "rotkv")],
            setting => setting.Cache.Rotation,
            (setting, rotation) => setting with { Cache = setting.Cache with { Rotation = rotation } },
            setting => (setting.Cache.Rotation, setting.Cache.Keys.IsCoded, setting.Cache.Values.IsCoded) switch
            {
                (KvRotation.KeysAndValues, _, true) => KvRotation.KeysAndValues,
                (KvRotation.None, _, _) or (_, false, _) => KvRotation.None,
                _ => KvRotation.Keys,
            }),
        Number("clip", "clip", $"a percentage from {GroupFit.LeastClipPercent} to 100",
            "percent of a group's range that its codes span", 100, "clip_percent",
            setting => setting.Cache.Fit.ClipPercent,
            (setting, clip) => setting with { Cache = setting.Cache with { Fit = setting.Cache.Fit with { Clip = clip / 100f } } },
            clip => clip is >= GroupFit.LeastClipPercent and <= 100, setting => setting.Cache.IsCoded),
        Number("sink", "sink", $"a number of tokens from 0 to {KvSpec.MostPlainTokens}",
            "first tokens that stay at 16 bits", 0, "sink_tokens",
            setting => setting.Cache.SinkTokens,
            (setting, sink) => setting with { Cache = setting.Cache with { SinkTokens = sink } },
            sink => sink <= KvSpec.MostPlainTokens, setting => setting.Cache.IsCoded),
        Number("recent", "recent", $"a number of tokens from 0 to {KvSpec.MostPlainTokens}",
            "latest tokens that stay at 16 bits until they leave the window", 0, "recent_tokens",
            setting => setting.Cache.RecentTokens,
            (setting, recent) => setting with { Cache = setting.Cache with { RecentTokens = recent } },
            recent => recent <= KvSpec.MostPlainTokens, setting => setting.Cache.IsCoded),
        Number("edge", "edge", $"a number of layers from 0 to {MostEdge}",
            "first and last layers, this many of each, that stay at 16 bits", 0, "edge_layers",
            setting => setting.Cache.EdgeLayers,
            (setting, edge) => setting with { Cache = setting.Cache with { EdgeLayers = edge } },
            edge => edge <= MostEdge, setting => setting.Cache.IsCoded),
        new ValueAxis<int?>
        {
            Key = "chunk",
            Words = $"none, auto, or a number of tokens from 1 to {InferenceSetting.MostChunk}",
            PartWords = "cN or cauto",
            Meaning = "tokens of one prefill step; none for the whole prompt, auto for as many as fit the memory that a trial may take",
            Get = setting => setting.Chunk,
            With = (setting, chunk) => setting with { Chunk = chunk },
            Word = ChunkWord,
            Read = TryReadChunk,
            Part = chunk => chunk is null ? null : $"c{ChunkWord(chunk)}",
            ReadPart = (string part, out int? chunk) =>
            {
                chunk = null;
                return part is ['c', .. var word] && word != "none" && TryReadChunk(word, out chunk);
            },
            Columns = [new("chunk", setting => ChunkWord(setting.Chunk))],
        },
        Choice("attention", "attention kernel: online softmax (flash) or all scores held (math)",
            [("flash", AttentionKernel.Flash, null), ("math", AttentionKernel.Math, "math")],
            setting => setting.Attention, (setting, kernel) => setting with { Attention = kernel }, null),
    ];

    /// <summary>Keys of all axes.</summary>
    public static ImmutableArray<string> Keys { get; } = [.. All.Select(axis => axis.Key)];

    /// <summary>The axis of a key.</summary>
    public static SettingAxis Find(string key) => All.First(axis => axis.Key == key);

    /// <summary>
    /// The same setting with everything at its default that makes no difference: the granularity of a side at 16 bits, what is done to
    /// keys or values that are not coded, the group where no weights are coded.
    /// </summary>
    public static InferenceSetting Collapse(InferenceSetting setting) => All.Aggregate(setting, (settled, axis) => axis.Collapse(settled));

    private static InferenceSetting KeyBits(InferenceSetting setting, int bits) =>
        setting with { Cache = setting.Cache with { Keys = setting.Cache.Keys with { Bits = bits } } };

    private static InferenceSetting ValueBits(InferenceSetting setting, int bits) =>
        setting with { Cache = setting.Cache with { Values = setting.Cache.Values with { Bits = bits } } };

    private static string? GroupText(InferenceSetting setting) => setting.Weights switch
    {
        { Form.Group: > 0 and var group } => SettingNumber.Text(group),
        { Form: null, IsCoded: true, Group: var group } => SettingNumber.Text(group),
        _ => null,
    };

    private static bool TryReadBits(string word, out (int Keys, int Values) bits)
    {
        bits = default;
        return word is ['k', .. var both] && both.Split('v') is [var keys, var values]
            && SettingNumber.TryRead(keys, out bits.Keys) && SettingNumber.TryRead(values, out bits.Values)
            && SideSpec.AllBits.Contains(bits.Keys) && SideSpec.AllBits.Contains(bits.Values);
    }

    private static string ChunkWord(int? chunk) => chunk switch
    {
        null => "none",
        InferenceSetting.AutoChunk => "auto",
        { } tokens => SettingNumber.Text(tokens),
    };

    private static bool TryReadChunk(string word, out int? chunk)
    {
        chunk = word == "auto" ? InferenceSetting.AutoChunk : SettingNumber.TryRead(word, out var tokens) ? tokens : null;
        return word is "none" or "auto" || chunk is >= 1 and <= InferenceSetting.MostChunk;
    }

    private static ValueAxis<int> Bits(
        string key, string meaning, string column, Func<InferenceSetting, int> get, Func<InferenceSetting, int, InferenceSetting> with) =>
            new()
            {
                Key = key,
                Words = "16, 8, 4, 2",
                Meaning = meaning,
                Get = get,
                With = with,
                Word = SettingNumber.Text,
                Read = (string word, out int bits) => SettingNumber.TryRead(word, out bits) && SideSpec.AllBits.Contains(bits),
                Columns = [new(column, setting => SettingNumber.Text(get(setting)))],
            };

    private static ValueAxis<KvGranularity> Granularity(
        string key, string of, Func<InferenceSetting, SideSpec> get, Func<InferenceSetting, SideSpec, InferenceSetting> with) => new()
        {
            Key = key,
            Words = GranularityAxis.All,
            Meaning = $"that of the {of} alone",
            Get = setting => get(setting).Granularity,
            Applies = setting => get(setting).IsCoded,
            With = (setting, granularity) => with(setting, get(setting) with { Granularity = granularity }),
            Word = GranularityAxis.Short,
            Read = GranularityAxis.TryRead,
            Columns = [new(key, setting => get(setting) is { IsCoded: true } side ? side.Granularity.ToString() : null)],
        };

    private static ValueAxis<int> Number(
        string key, string prefix, string words, string meaning, int standard, string column, Func<InferenceSetting, int> get,
        Func<InferenceSetting, int, InferenceSetting> with, Func<int, bool> isAllowed, Func<InferenceSetting, bool>? matters = null) =>
            new()
            {
                Key = key,
                Words = words,
                PartWords = $"{prefix}N",
                Meaning = meaning,
                Get = get,
                With = with,
                Word = SettingNumber.Text,
                Read = (string word, out int number) => SettingNumber.TryRead(word, out number) && isAllowed(number),
                Part = number => number == standard ? null : $"{prefix}{number}",
                ReadPart = (string part, out int number) =>
                    SettingNumber.TryAfter(prefix, part, out number) && isAllowed(number) && number != standard,
                Settled = matters is null ? null : setting => matters(setting) ? get(setting) : standard,
                Columns = [new(column, setting => SettingNumber.Text(get(setting)))],
            };

    private static ValueAxis<bool> Flag(
        string key, string meaning, Func<InferenceSetting, bool> get, Func<InferenceSetting, bool, InferenceSetting> with,
            Func<InferenceSetting, bool> matters) =>
        Choice(key, meaning, [("false", false, null), ("true", true, key)], get, with, setting => matters(setting) && get(setting));

    private static ValueAxis<T> Choice<T>(
        string key, string meaning, (string Word, T Value, string? Part)[] choices, Func<InferenceSetting, T> get,
        Func<InferenceSetting, T, InferenceSetting> with, Func<InferenceSetting, T>? settled) where T : struct
    {
        return new()
        {
            Key = key,
            Words = string.Join(", ", choices.Select(choice => choice.Word)),
            PartWords = string.Join(" or ", choices.Where(choice => choice.Part is not null).Select(choice => choice.Part)),
            Meaning = meaning,
            Get = get,
            With = with,
            Word = Word,
            Read = (string word, out T value) => TryFind(choice => choice.Word == word, out value),
            Part = value => Array.Find(choices, choice => Equals(choice.Value, value)).Part,
            ReadPart = (string part, out T value) => TryFind(choice => choice.Part == part, out value),
            Settled = settled,
            Columns = [new(key, setting => Word(get(setting)))],
        };

        string Word(T value) => Array.Find(choices, choice => Equals(choice.Value, value)).Word;

        bool TryFind(Predicate<(string Word, T Value, string? Part)> matches, out T value)
        {
            var index = Array.FindIndex(choices, matches);
            value = index < 0 ? default : choices[index].Value;
            return index >= 0;
        }
    }
}
