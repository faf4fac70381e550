using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Model;
using KvPareto.Engine.Model.Families;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>Reads an architecture from a GGUF file's metadata (keys as <c>ggml/docs/gguf.md</c> has them).</summary>
internal sealed class GgufConfigReader
{
    private const string EmbeddingName = "token_embd.weight";
    private const string HeadName = "output.weight";

    private static readonly string[] EndKeys = ["eos", "eot", "eom"];

    private readonly GgufFile _file;
    private readonly GgufMetadata _metadata;
    private readonly Family _family;

    private GgufConfigReader(GgufFile file)
    {
        (_file, _metadata) = (file, file.Metadata);
        _family = FamilyTable.OfGguf(_metadata.Word("general.architecture", FamilyTable.GgufNames));
        GgufKeys.RefuseUnknown(_metadata, _family);
    }

    /// <summary>Reads an architecture.</summary>
    /// <exception cref="ConfigException">A value is missing, out of range or not supported.</exception>
    public static ModelConfig Read(GgufFile file) => new GgufConfigReader(file).Read();

    private ModelConfig Read()
    {
        if (Integer("expert_count", 0, int.MaxValue, 0) > 0)
            throw _metadata.Refuse(Key("expert_count"), "0 (mixtures of experts are not supported)");
        var hidden = Integer("embedding_length", 2, ModelConfigReader.WidestLayer);
        var heads = Integer("attention.head_count", 1, ModelConfigReader.MostHeads);
        var kvHeads = Integer("attention.head_count_kv", 1, ModelConfigReader.MostHeads, heads);
        if (heads % kvHeads != 0) throw _metadata.Refuse(Key("attention.head_count_kv"), $"a divisor of head_count ({heads})");
        var headDim = HeadDim(hidden, heads);
        var layers = Integer("block_count", 1, ModelConfigReader.MostLayers);
        var positions = Integer("context_length", 1, ModelConfigReader.MostPositions);
        var window = Integer("attention.sliding_window", 0, ModelConfigReader.MostPositions, 0);
        var vocabulary = Vocabulary();
        var rope = new GgufRopeReader(_file, _family, headDim, TurnedChannels(headDim), positions).Read();
        return new()
        {
            Family = _family.Name,
            VocabularySize = vocabulary,
            HiddenSize = hidden,
            FeedForwardSize = Integer("feed_forward_length", 2, ModelConfigReader.WidestLayer),
            LayerCount = layers,
            QueryHeads = heads,
            KvHeads = kvHeads,
            HeadDim = headDim,
            NormEpsilon = (float)_metadata.Number(Key("attention.layer_norm_rms_epsilon"), 1e-12, 1),
            MaxPositions = ModelConfigReader.Positions(rope, positions),
            Rope = rope,
            TiedEmbeddings = !_file.Tensors.ContainsKey(HeadName),
            QkNorm = _family.QkNorm,
            QkvBias = _family.AttentionBias == BiasRule.Always,
            EmbeddingMultiplier = Multiplier("embedding_scale") ?? 1,
            ResidualMultiplier = Multiplier("residual_scale") ?? 1,
            AttentionMultiplier = Multiplier("attention.scale"),
            LogitDivisor = Multiplier("logit_scale") ?? 1,
            UnturnedLayers = _family.UnturnedInterval is > 0 and var interval
                ? [.. Enumerable.Range(0, layers).Where(layer => (layer + 1) % interval == 0)] : [],
            StoredType = StoredType(),
            LayerWindows = [.. Enumerable.Repeat(window, layers)],
            BosId = _metadata.Has("tokenizer.ggml.bos_token_id") ? _metadata.Integer("tokenizer.ggml.bos_token_id", 0, vocabulary - 1)
                : null,
            EosIds = [.. EndIds(vocabulary).Distinct()],
        };
    }

    private string Key(string name) => $"{_family.GgufName}.{name}";

    private int Integer(string name, int min, int max, int? fallback = null) => _metadata.Integer(Key(name), min, max, fallback);

    private int HeadDim(int hidden, int heads)
    {
        const string KeyLength = "attention.key_length";
        if (!_metadata.Has(Key(KeyLength)) && hidden % heads != 0)
            throw _metadata.Refuse(Key("embedding_length"), $"a multiple of head_count ({heads}), or {KeyLength} given");
        var headDim = Integer(KeyLength, 2, ModelConfigReader.WidestHead, hidden / heads);
        if (headDim % 2 != 0 || headDim is < 2 or > ModelConfigReader.WidestHead)
            throw new ConfigException(
                $"{_metadata.Source}: heads are {headDim} wide; allowed: an even width up to {ModelConfigReader.WidestHead}");
        const string ValueLength = "attention.value_length";
        if (Integer(ValueLength, 1, int.MaxValue, headDim) != headDim)
            throw _metadata.Refuse(Key(ValueLength), $"{headDim}, the width of a head");
        return headDim;
    }

    private int TurnedChannels(int headDim)
    {
        const string Dimensions = "rope.dimension_count";
        var turned = Integer(Dimensions, 1, int.MaxValue, headDim);
        if (turned == headDim || (_family.HasPartialRotary && turned < headDim && turned % 2 == 0)) return turned;
        throw _metadata.Refuse(
            Key(Dimensions), _family.HasPartialRotary ? $"an even number up to {headDim}, the width of a head"
                : $"{headDim}, the width of a head");
    }

    // llama.cpp takes 0 for what is not given.
    private float? Multiplier(string name)
    {
        if (!_family.HasMultipliers || !_metadata.Has(Key(name)) || _metadata.IsNeutral(Key(name))) return null;
        return (float)_metadata.Number(Key(name), ModelConfigReader.LeastMultiplier, ModelConfigReader.LargestMultiplier);
    }

    // Some converters write another vocab_size than the embedding has rows; the embedding is what counts.
    private int Vocabulary()
    {
        if (!_file.Tensors.TryGetValue(EmbeddingName, out var embedding))
            throw new ConfigException($"{_metadata.Source}: tensor '{EmbeddingName}' is missing");
        return embedding.Shape is [>= 2 and <= ModelConfigReader.LargestVocabulary, _]
            ? (int)embedding.Shape[0]
            : throw new ConfigException(
                $"{_metadata.Source}: tensor '{EmbeddingName}' has shape {embedding.ShapeText}; allowed: 2 to "
                    + $"{ModelConfigReader.LargestVocabulary} rows");
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
}
