using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Model;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>Reads an architecture from a GGUF file's metadata (keys as <c>ggml/docs/gguf.md</c> has them).</summary>
internal sealed unsafe class GgufConfigReader
{
    private const string EmbeddingName = "token_embd.weight";
    private const string HeadName = "output.weight";

    private static readonly string[] Architectures = ["llama", "qwen2", "qwen3"];
    private static readonly string[] ScalingTypes = ["none", "linear", "yarn"];
    private static readonly string[] EndKeys = ["eos", "eot", "eom"];

    private readonly GgufFile _file;
    private readonly GgufMetadata _metadata;
    private readonly string _architecture;

    private GgufConfigReader(GgufFile file)
    {
        (_file, _metadata) = (file, file.Metadata);
        _architecture = _metadata.Word("general.architecture", Architectures);
    }

    /// <summary>Reads an architecture.</summary>
    /// <exception cref="ConfigException">A value is missing, out of range or not supported.</exception>
    public static ModelConfig Read(GgufFile file) => new GgufConfigReader(file).Read();

    private ModelConfig Read()
    {
        if (Integer("expert_count", 0, int.MaxValue, 0) > 0) throw _metadata.Refuse(Key("expert_count"), "0 (mixtures of experts are not supported)");
        var hidden = Integer("embedding_length", 1, ModelConfigReader.WidestLayer);
        var heads = Integer("attention.head_count", 1, ModelConfigReader.MostHeads);
        var kvHeads = Integer("attention.head_count_kv", 1, ModelConfigReader.MostHeads, heads);
        if (heads % kvHeads != 0) throw _metadata.Refuse(Key("attention.head_count_kv"), $"a divisor of head_count ({heads})");
        var headDim = HeadDim(hidden, heads);
        var layers = Integer("block_count", 1, ModelConfigReader.MostLayers);
        var positions = Integer("context_length", 1, ModelConfigReader.MostPositions);
        var window = Integer("attention.sliding_window", 0, ModelConfigReader.MostPositions, 0);
        var vocabulary = Vocabulary();
        return new()
        {
            Family = _architecture,
            VocabularySize = vocabulary,
            HiddenSize = hidden,
            FeedForwardSize = Integer("feed_forward_length", 1, ModelConfigReader.WidestLayer),
            LayerCount = layers,
            QueryHeads = heads,
            KvHeads = kvHeads,
            HeadDim = headDim,
            NormEpsilon = (float)_metadata.Number(Key("attention.layer_norm_rms_epsilon"), 1e-12, 1),
            MaxPositions = positions,
            Rope = Rope(headDim, positions),
            TiedEmbeddings = !_file.Tensors.ContainsKey(HeadName),
            QkNorm = _architecture == "qwen3",
            QkvBias = _architecture == "qwen2",
            StoredType = StoredType(),
            LayerWindows = [.. Enumerable.Repeat(window, layers)],
            BosId = _metadata.Has("tokenizer.ggml.bos_token_id") ? _metadata.Integer("tokenizer.ggml.bos_token_id", 0, vocabulary - 1) : null,
            EosIds = [.. EndIds(vocabulary).Distinct()],
        };
    }

    private string Key(string name) => $"{_architecture}.{name}";

    private int Integer(string name, int min, int max, int? fallback = null) => _metadata.Integer(Key(name), min, max, fallback);

    private int HeadDim(int hidden, int heads)
    {
        const string KeyLength = "attention.key_length";
        if (!_metadata.Has(Key(KeyLength)) && hidden % heads != 0)
            throw _metadata.Refuse(Key("embedding_length"), $"a multiple of head_count ({heads}), or {KeyLength} given");
        var headDim = Integer(KeyLength, 2, ModelConfigReader.WidestHead, hidden / heads);
        if (headDim % 2 != 0 || headDim is < 2 or > ModelConfigReader.WidestHead)
            throw new ConfigException($"{_metadata.Source}: heads are {headDim} wide; allowed: an even width up to {ModelConfigReader.WidestHead}");
        foreach (var name in new[] { "attention.value_length", "rope.dimension_count" })
            if (Integer(name, 1, int.MaxValue, headDim) != headDim) throw _metadata.Refuse(Key(name), $"{headDim}, the width of a head");
        return headDim;
    }

    // Some converters write another vocab_size than the embedding has rows; the embedding is what counts.
    private int Vocabulary()
    {
        if (!_file.Tensors.TryGetValue(EmbeddingName, out var embedding)) throw new ConfigException($"{_metadata.Source}: tensor '{EmbeddingName}' is missing");
        return embedding.Shape is [>= 1 and <= ModelConfigReader.LargestVocabulary, _]
            ? (int)embedding.Shape[0]
            : throw new ConfigException($"{_metadata.Source}: tensor '{EmbeddingName}' has shape {embedding.ShapeText}; allowed: up to {ModelConfigReader.LargestVocabulary} rows");
    }

    private DType StoredType() => _file.Tensors[EmbeddingName].Type switch
    {
        TensorType.F32 => DType.F32,
        TensorType.BF16 => DType.BF16,
        _ => DType.F16,
    };

    private IEnumerable<int> EndIds(int vocabulary) =>
        from name in EndKeys
        let key = $"tokenizer.ggml.{name}_token_id"
        where _metadata.Has(key)
        select _metadata.Integer(key, 0, vocabulary - 1);

    private RopeTable Rope(int headDim, int positions)
    {
        var theta = _metadata.Number(Key("rope.freq_base"), 1, 1e15, 10000);
        var table = _metadata.Word(Key("rope.scaling.type"), ScalingTypes, "none") switch
        {
            "linear" => RopeFrequencies.Linear(headDim, theta, Factor()),
            "yarn" when theta <= 1 => throw _metadata.Refuse(Key("rope.freq_base"), "a number greater than 1 where rope.scaling.type is yarn"),
            "yarn" => RopeFrequencies.Yarn(headDim, theta, Yarn(positions)),
            _ => RopeFrequencies.Default(headDim, theta),
        };
        return _file.Tensors.TryGetValue(GgufTensorNames.RopeFactors, out var factors) ? Divided(table, factors) : table;
    }

    private double Factor() => _metadata.Number(Key("rope.scaling.factor"), RopeReader.LeastFactor, RopeReader.LargestFactor);

    private YarnScaling Yarn(int positions)
    {
        var scaling = new YarnScaling(Factor(), Integer("rope.scaling.original_context_length", 1, ModelConfigReader.MostPositions, positions))
        {
            BetaFast = _metadata.Number(Key("rope.scaling.yarn_beta_fast"), RopeReader.LeastFactor, RopeReader.LargestFactor, 32),
            BetaSlow = _metadata.Number(Key("rope.scaling.yarn_beta_slow"), RopeReader.LeastFactor, RopeReader.LargestFactor, 1),
        };
        return scaling with { AttentionFactor = scaling.EffectiveAttentionFactor * _metadata.Number(Key("rope.scaling.attn_factor"), RopeReader.LeastFactor, RopeReader.LargestFactor, 1) };
    }

    private RopeTable Divided(RopeTable table, HostTensor factors)
    {
        var half = table.InverseFrequencies.Length;
        if (factors.Type != TensorType.F32 || factors.Shape.Length != 1 || factors.Shape[0] != half)
            throw Refuse($"is {factors.Type.SafeTensorsName()} {factors.ShapeText}; allowed: F32 [{half}]");
        var divisors = new float[half];
        FloatRows.Widen(factors.Data, WeightFormat.F32, divisors);
        if (!divisors.All(static divisor => divisor > 0 && float.IsFinite(divisor))) throw Refuse("has a factor that is not above 0");
        float[] divided = [.. table.InverseFrequencies.Zip(divisors, static (frequency, divisor) => frequency / divisor)];
        if (!divided.All(float.IsFinite)) throw Refuse("has a factor that is too small");
        return new(divided, table.AttentionScale)
        {
            Form = Divided(table.Form!, divisors),
        };
    }

    private static RopeForm? Divided(RopeForm form, float[] divisors)
    {
        if (divisors.All(static divisor => divisor == 1)) return form;
        return form.Scaling is null && Llama3Fit.Find(form.Theta, divisors) is { } scaling ? form with { Scaling = scaling } : null;
    }

    private ConfigException Refuse(string what) => new($"{_metadata.Source}: tensor '{GgufTensorNames.RopeFactors}' {what}");
}
