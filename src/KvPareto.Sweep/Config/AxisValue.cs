using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Config;

/// <summary>
/// The words of each axis. They are the parts of a short name, so the engine's own grammar reads them: each is set into a short
/// name whose other parts are known, and nothing else of that name may have changed.
/// </summary>
internal static class AxisValue
{
    public const string WeightWords = "w16, w8, w4, and with groups of 32 or 64 such as w4g64";
    public const string EmbeddingWords = "16, 8, 4";
    public const string CacheWords = "k16v16, k8v8, k8v4, k4v2 and any other kKvV with 2, 4, 8 or 16 bits";
    public const string GranularityWords = "tN, chN, bN, tensor, pow2, or keys and values apart as kch32-vt64";
    public const string RotationWords = "none, k, kv";
    public const string ClipWords = "a percentage from 50 to 100";
    public const string TokenWords = "a number of tokens from 0 to 65536";
    public const string EdgeWords = "a number of layers from 0 to 999";
    public const string ChunkWords = "none, or a number of tokens from 1 to 1000000";
    public const string AttentionWords = "flash, math";

    private const int MaxChunk = 1_000_000;

    public static WeightSpec Weights(ConfigValue value)
    {
        // With a coded embedding, since w16 may have a group only there.
        var setting = Read(value, "{0}a16-e8-k16v16", WeightWords, words: 1);
        return setting with { Weights = WeightSpec.Full } == new InferenceSetting()
            ? setting.Weights with { EmbeddingBits = 16 }
            : throw Unknown(value, WeightWords);
    }

    public static int EmbeddingBits(ConfigValue value)
    {
        var bits = value.Integer(0, 16, EmbeddingWords);
        return WeightSpec.AllBits.Contains(bits) ? bits : throw Unknown(value, EmbeddingWords);
    }

    public static KvSpec Cache(ConfigValue value)
    {
        var cache = Read(value, "w16a16-{0}", CacheWords, words: 1).Cache;
        return cache with { KeyBits = 16, ValueBits = 16 } == KvSpec.Full ? cache : throw Unknown(value, CacheWords);
    }

    public static KvSpec Granularity(ConfigValue value)
    {
        var setting = Read(value, "w16a16-k8v8-{0}", GranularityWords, words: 2);
        var bare = setting with { Cache = KvSpec.Full };
        var onlyGroups = setting.Cache with { KeyGranularity = KvSpec.Full.KeyGranularity, ValueGranularity = KvSpec.Full.ValueGranularity };
        return bare == new InferenceSetting() && onlyGroups == KvSpec.Full with { KeyBits = 8, ValueBits = 8 } ? setting.Cache : throw Unknown(value, GranularityWords);
    }

    public static bool Flag(ConfigValue value) => value.Boolean();

    public static KvRotation Rotation(ConfigValue value) => value.Word("none", "k", "kv") switch
    {
        "k" => KvRotation.Keys,
        "kv" => KvRotation.KeysAndValues,
        _ => KvRotation.None,
    };

    public static int Clip(ConfigValue value) => value.Integer(50, 100, ClipWords);

    public static int Tokens(ConfigValue value) => value.Integer(0, 65536, TokenWords);

    public static int Edge(ConfigValue value) => value.Integer(0, 999, EdgeWords);

    public static int? Chunk(ConfigValue value) =>
        value.Text(ChunkWords) == "none" ? null : value.Integer(1, MaxChunk, ChunkWords);

    public static AttentionKernel Attention(ConfigValue value) =>
        value.Word("flash", "math") == "math" ? AttentionKernel.Math : AttentionKernel.Flash;

    private static InferenceSetting Read(ConfigValue value, string shortName, string allowed, int words)
    {
        var text = value.Text(allowed);
        if (text.Split('-').Length > words) throw Unknown(value, allowed);
        try
        {
            return InferenceSetting.Parse(shortName.Replace("{0}", text, StringComparison.Ordinal));
        }
        catch (ConfigException)
        {
            throw Unknown(value, allowed);
        }
    }

    private static ConfigException Unknown(ConfigValue value, string allowed) =>
        value.Error($"has the unknown value '{value.Text(allowed)}'", allowed);
}
