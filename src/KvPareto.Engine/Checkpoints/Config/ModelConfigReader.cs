using System.Collections.Immutable;
using KvPareto.Engine.Model;
using KvPareto.Engine.Model.Families;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Config;

/// <summary>
/// Reads a Hugging Face <c>config.json</c> in the forms of transformers 4 and 5, and the end tokens of the
/// <c>generation_config.json</c> beside it. Where a key is absent it takes the default of transformers' own class of that family
/// (<see cref="FamilyTable"/>); a key that nobody reads is refused (<see cref="ConfigKeys"/>).
/// </summary>
public static class ModelConfigReader
{
    internal const int MostPositions = 1 << 28;
    internal const int MostLayers = 1024;
    internal const int MostHeads = 1024;
    internal const int WidestHead = 1024;
    internal const int WidestLayer = 1 << 20;
    internal const int LargestVocabulary = 1 << 24;

    internal const double LeastMultiplier = 1e-6;
    internal const double LargestMultiplier = 1e6;
    private const int MostEndTokens = 64;

    /// <summary>What <c>torch_dtype</c> may say; the first where it is absent.</summary>
    internal static readonly (string Word, DType Type)[] StoredTypes =
        [("bfloat16", DType.BF16), ("float16", DType.F16), ("float32", DType.F32)];

    /// <summary>Reads an architecture.</summary>
    /// <param name="file">Path of a <c>config.json</c>.</param>
    /// <exception cref="ConfigException">The file is missing or damaged, or a value is missing, out of range or not supported.</exception>
    public static ModelConfig Read(string file) => Read(JsonSection.Read(file));

    /// <summary>Reads an architecture.</summary>
    /// <exception cref="ConfigException">A value is missing, out of range or not supported.</exception>
    internal static ModelConfig Read(JsonSection config)
    {
        var family = FamilyTable.Of(config.Word("model_type", FamilyTable.Names));
        config.Word("hidden_act", ["silu"], "silu");
        if (config.Flag("rope_interleaved", false)) throw config.Refuse("rope_interleaved", "false");
        ConfigKeys.RefuseUnknown(config, family);

        var hidden = config.Integer("hidden_size", 2, WidestLayer);
        var heads = config.Integer("num_attention_heads", 1, MostHeads);
        // Null says that there are as many; a key that is not there, what the class does.
        var defaultKvHeads = config.Contains("num_key_value_heads") ? heads : family.DefaultKvHeads ?? heads;
        var kvHeads = config.Integer("num_key_value_heads", 1, MostHeads, defaultKvHeads);
        if (heads % kvHeads != 0) throw config.Refuse("num_key_value_heads", $"a divisor of num_attention_heads ({heads})");
        var headDim = HeadDim(config, family, hidden, heads);
        var maxPositions = config.Integer("max_position_embeddings", 1, MostPositions, family.DefaultPositions);
        var vocabulary = config.Integer("vocab_size", 2, LargestVocabulary);
        var layers = config.Integer("num_hidden_layers", 1, MostLayers);
        var attentionBias = family.AttentionBias == BiasRule.ByKey && config.Flag("attention_bias", false);
        var rope = RopeReader.Read(config, family, headDim, maxPositions);
        var unturned = UnturnedLayers(config, family, layers);
        return new()
        {
            Family = family.Name,
            VocabularySize = vocabulary,
            HiddenSize = hidden,
            FeedForwardSize = config.Integer("intermediate_size", 2, WidestLayer),
            LayerCount = layers,
            QueryHeads = heads,
            KvHeads = kvHeads,
            HeadDim = headDim,
            NormEpsilon = (float)config.Number("rms_norm_eps", 1e-12, 1, family.DefaultEpsilon),
            MaxPositions = Positions(rope, maxPositions),
            Rope = rope,
            TiedEmbeddings = config.Flag("tie_word_embeddings", family.IsTiedByDefault),
            QkNorm = family.QkNorm,
            QkvBias = family.AttentionBias == BiasRule.Always || attentionBias,
            OutputBias = attentionBias,
            FeedForwardBias = family.HasFeedForwardBiasKey && config.Flag("mlp_bias", false),
            EmbeddingMultiplier = Multiplier(config, family, "embedding_multiplier") ?? 1,
            ResidualMultiplier = Multiplier(config, family, "residual_multiplier") ?? 1,
            AttentionMultiplier = family.HasMultipliers ? Multiplier(config, family, "attention_multiplier") ?? 1 : null,
            LogitDivisor = Multiplier(config, family, "logits_scaling") ?? 1,
            UnturnedLayers = unturned,
            StoredType = StoredType(config),
            Quantization = AwqConfig.Of(config),
            LayerWindows = WindowReader.Read(config, family, layers, unturned),
            BosId = config.Has("bos_token_id") ? config.Integer("bos_token_id", 0, vocabulary - 1) : null,
            EosIds = EndTokens(config, vocabulary),
        };
    }

    /// <summary>Positions that a model is good for: scalings that stretch the original ones reach further than the configuration may
    /// say.</summary>
    internal static int Positions(RopeTable rope, int configured) => rope.Form?.Scaling switch
    {
        YarnScaling yarn => Stretched(yarn.Factor, yarn.OriginalPositions, configured),
        DynamicScaling dynamic => Stretched(dynamic.Factor, dynamic.OriginalPositions, configured),
        _ => configured,
    };

    private static int Stretched(double factor, int original, int configured) =>
        (int)Math.Clamp(factor * original, configured, Math.Max(configured, MostPositions));

    private static float? Multiplier(JsonSection config, Family family, string key) =>
        family.HasMultipliers && config.Has(key) ? (float)config.Number(key, LeastMultiplier, LargestMultiplier) : null;

    private static ImmutableArray<int> UnturnedLayers(JsonSection config, Family family, int layers)
    {
        if (family.UnturnedInterval == 0) return [];
        if (!config.Has("no_rope_layers"))
        {
            var interval = config.Integer("no_rope_layer_interval", 1, MostLayers, family.UnturnedInterval);
            return [.. Enumerable.Range(0, layers).Where(layer => (layer + 1) % interval == 0)];
        }
        var turned = config.Integers("no_rope_layers", 0, 1, layers);
        if (turned.Length != layers) throw config.Refuse("no_rope_layers", $"a list of {layers} of 0 (no rotary embedding), 1");
        return [.. Enumerable.Range(0, layers).Where(layer => turned[layer] == 0)];
    }

    private static int HeadDim(JsonSection config, Family family, int hidden, int heads)
    {
        var given = config.Has("head_dim");
        if (!given && family.DefaultHeadDim is null && hidden % heads != 0)
            throw config.Refuse("hidden_size", $"a multiple of num_attention_heads ({heads}), or head_dim given");
        var headDim = config.Integer("head_dim", 2, WidestHead, family.DefaultHeadDim ?? hidden / heads);
        if (headDim % 2 == 0 && headDim is >= 2 and <= WidestHead) return headDim;
        throw config.Refuse(given ? "head_dim" : "hidden_size", $"an even head_dim up to {WidestHead}, here it is {headDim}");
    }

    private static DType StoredType(JsonSection config)
    {
        var words = StoredTypes.Select(stored => stored.Word).ToArray();
        var word = config.Word(config.Has("dtype") ? "dtype" : "torch_dtype", words, words[0]);
        return StoredTypes.First(stored => stored.Word == word).Type;
    }

    private static ImmutableArray<int> EndTokens(JsonSection config, int vocabulary)
    {
        var ids = config.Integers("eos_token_id", 0, vocabulary - 1, MostEndTokens);
        var generation = Path.Combine(Path.GetDirectoryName(config.File) ?? "", "generation_config.json");
        return File.Exists(generation)
            ? [.. ids.Union(JsonSection.Read(generation).Integers("eos_token_id", 0, vocabulary - 1, MostEndTokens))]
            : [.. ids.Distinct()];
    }
}
