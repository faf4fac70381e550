using System.Collections.Immutable;
using KvPareto.Engine.Checkpoints.Awq;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Config;

/// <summary>
/// Reads a Hugging Face <c>config.json</c> in the forms of transformers 4 and 5, and the end tokens of the
/// <c>generation_config.json</c> beside it. Where a key is absent it takes the default of transformers' own class of that family.
/// </summary>
public static class ModelConfigReader
{
    internal const int MostPositions = 1 << 28;
    internal const int MostLayers = 1024;
    internal const int MostHeads = 1024;
    internal const int WidestHead = 1024;
    internal const int WidestLayer = 1 << 20;
    internal const int LargestVocabulary = 1 << 24;

    private const int MostEndTokens = 64;
    private const int MistralWindow = 4096;
    private const int QwenFirstWindowLayer = 28;
    private const int Qwen3HeadDim = 128;

    private static readonly string[] Families = ["llama", "qwen2", "qwen3", "mistral"];
    private static readonly string[] LayerTypes = ["full_attention", "sliding_attention"];

    /// <summary>Reads an architecture.</summary>
    /// <param name="file">Path of a <c>config.json</c>.</param>
    /// <exception cref="ConfigException">The file is missing or damaged, or a value is missing, out of range or not supported.</exception>
    public static ModelConfig Read(string file)
    {
        var config = JsonSection.Read(file);
        var family = config.Word("model_type", Families);
        RefuseUnsupported(config);

        var hidden = config.Integer("hidden_size", 1, WidestLayer);
        var heads = config.Integer("num_attention_heads", 1, MostHeads);
        var kvHeads = config.Integer("num_key_value_heads", 1, MostHeads, heads);
        if (heads % kvHeads != 0) throw config.Refuse("num_key_value_heads", $"a divisor of num_attention_heads ({heads})");
        var headDim = HeadDim(config, family, hidden, heads);
        var maxPositions = config.Integer("max_position_embeddings", 1, MostPositions);
        var vocabulary = config.Integer("vocab_size", 1, LargestVocabulary);
        var layers = config.Integer("num_hidden_layers", 1, MostLayers);
        var attentionBias = family is "llama" or "qwen3" && config.Flag("attention_bias", false);
        return new()
        {
            Family = family,
            VocabularySize = vocabulary,
            HiddenSize = hidden,
            FeedForwardSize = config.Integer("intermediate_size", 1, WidestLayer),
            LayerCount = layers,
            QueryHeads = heads,
            KvHeads = kvHeads,
            HeadDim = headDim,
            NormEpsilon = (float)config.Number("rms_norm_eps", 1e-12, 1, 1e-6),
            MaxPositions = maxPositions,
            Rope = RopeReader.Read(config, headDim, maxPositions),
            TiedEmbeddings = config.Flag("tie_word_embeddings", false),
            QkNorm = family == "qwen3",
            QkvBias = family == "qwen2" || attentionBias,
            OutputBias = attentionBias,
            FeedForwardBias = family == "llama" && config.Flag("mlp_bias", false),
            StoredType = StoredType(config),
            Quantization = config.Section("quantization_config") is { } quantization ? AwqConfig.Read(quantization) : null,
            LayerWindows = LayerWindows(config, family, layers),
            BosId = config.Has("bos_token_id") ? config.Integer("bos_token_id", 0, vocabulary - 1) : null,
            EosIds = EndTokens(config, vocabulary),
        };
    }

    private static void RefuseUnsupported(JsonSection config)
    {
        config.Word("hidden_act", ["silu"], "silu");
        if (config.Flag("rope_interleaved", false)) throw config.Refuse("rope_interleaved", "false");
    }

    private static int HeadDim(JsonSection config, string family, int hidden, int heads)
    {
        var given = config.Has("head_dim");
        if (!given && family != "qwen3" && hidden % heads != 0)
            throw config.Refuse("hidden_size", $"a multiple of num_attention_heads ({heads}), or head_dim given");
        var headDim = config.Integer("head_dim", 2, WidestHead, family == "qwen3" ? Qwen3HeadDim : hidden / heads);
        if (headDim % 2 == 0 && headDim <= WidestHead) return headDim;
        throw config.Refuse(given ? "head_dim" : "hidden_size", $"an even head_dim up to {WidestHead}, here it is {headDim}");
    }

    private static DType StoredType(JsonSection config)
    {
        string[] types = ["bfloat16", "float16", "float32"];
        return config.Word(config.Has("dtype") ? "dtype" : "torch_dtype", types, "bfloat16") switch
        {
            "float32" => DType.F32,
            "float16" => DType.F16,
            _ => DType.BF16,
        };
    }

    private static ImmutableArray<int> LayerWindows(JsonSection config, string family, int layers)
    {
        var window = family switch
        {
            "mistral" when !config.Contains("sliding_window") => MistralWindow,
            "mistral" => Window(config, 0),
            "qwen2" or "qwen3" when config.Flag("use_sliding_window", false) =>
                config.Contains("sliding_window") ? Window(config, 0) : MistralWindow,
            _ => 0,
        };
        if (family != "llama" && config.Words("layer_types", layers, LayerTypes) is { } types)
        {
            if (window == 0 && types.Contains("sliding_attention"))
                throw config.Refuse("sliding_window", $"a whole number from 1 to {MostPositions} where layer_types has sliding_attention"
                    + (family == "mistral" ? "" : " and use_sliding_window true"));
            return [.. types.Select(type => type == "sliding_attention" ? window : 0)];
        }
        if (window == 0) return [.. new int[layers]];
        var first = family == "mistral" ? 0 : config.Integer("max_window_layers", 0, MostPositions, QwenFirstWindowLayer);
        return [.. Enumerable.Range(0, layers).Select(layer => layer >= first ? window : 0)];
    }

    private static int Window(JsonSection config, int fallback) => config.Integer("sliding_window", 1, MostPositions, fallback);

    private static ImmutableArray<int> EndTokens(JsonSection config, int vocabulary)
    {
        var ids = config.Integers("eos_token_id", 0, vocabulary - 1, MostEndTokens);
        var generation = Path.Combine(Path.GetDirectoryName(config.File) ?? "", "generation_config.json");
        return File.Exists(generation)
            ? [.. ids.Union(JsonSection.Read(generation).Integers("eos_token_id", 0, vocabulary - 1, MostEndTokens))]
            : [.. ids.Distinct()];
    }
}
