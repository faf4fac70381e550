using KvPareto.Engine.Formats;
using KvPareto.Engine.Quantization;

namespace KvPareto.Engine.Model;

/// <summary>Checks a checkpoint's tensors against its architecture and uploads them one by one; nothing stays behind a failure.</summary>
internal sealed unsafe class WeightLoader : IDisposable
{
    private readonly Backend _backend;
    private readonly Checkpoint _checkpoint;
    private readonly ModelConfig _config;
    private readonly WeightSpec _spec;
    private readonly List<Weight> _uploaded = [];

    public WeightLoader(Backend backend, Checkpoint checkpoint, WeightSpec spec)
    {
        spec.Validate(checkpoint.Config);
        (_backend, _checkpoint, _config, _spec) = (backend, checkpoint, checkpoint.Config, spec);
    }

    /// <summary>Uploads all weights and hands them over.</summary>
    public TransformerWeights Load()
    {
        var embedding = Embedding();
        var layers = Enumerable.Range(0, _config.LayerCount).Select(Layer).ToArray();
        var finalNorm = Vector("model.norm.weight", _config.HiddenSize);
        var head = _config.TiedEmbeddings ? embedding : Vocabulary("lm_head.weight");
        _uploaded.Clear();
        return new(embedding, [.. layers], finalNorm, head);
    }

    /// <summary>Gives back what was uploaded but not handed over.</summary>
    public void Dispose() => Release();

    /// <summary>As <see cref="Dispose"/>, but more may be loaded.</summary>
    public void Release()
    {
        foreach (var weight in _uploaded) weight.Dispose();
        _uploaded.Clear();
    }

    /// <summary>The embedding alone; it stays this loader's.</summary>
    public Weight Embedding() => Vocabulary("model.embed_tokens.weight");

    /// <summary>The weights of one layer alone; they stay this loader's.</summary>
    public LayerWeights Layer(int index)
    {
        var (hidden, queries) = (_config.HiddenSize, _config.QueryHeads * _config.HeadDim);
        var (keys, forward) = (_config.KvHeads * _config.HeadDim, _config.FeedForwardSize);
        var (attention, mlp) = ($"model.layers.{index}.self_attn", $"model.layers.{index}.mlp");
        return new()
        {
            InputNorm = Vector($"model.layers.{index}.input_layernorm.weight", hidden),
            Query = Projection($"{attention}.q_proj", queries, hidden, _config.QkvBias),
            Key = Projection($"{attention}.k_proj", keys, hidden, _config.QkvBias),
            Value = Projection($"{attention}.v_proj", keys, hidden, _config.QkvBias),
            Output = Projection($"{attention}.o_proj", hidden, queries, _config.OutputBias),
            QueryNorm = _config.QkNorm ? Vector($"{attention}.q_norm.weight", _config.HeadDim) : null,
            KeyNorm = _config.QkNorm ? Vector($"{attention}.k_norm.weight", _config.HeadDim) : null,
            PostAttentionNorm = Vector($"model.layers.{index}.post_attention_layernorm.weight", hidden),
            Gate = Projection($"{mlp}.gate_proj", forward, hidden, _config.FeedForwardBias),
            Up = Projection($"{mlp}.up_proj", forward, hidden, _config.FeedForwardBias),
            Down = Projection($"{mlp}.down_proj", hidden, forward, _config.FeedForwardBias),
        };
    }

    /// <summary>A linear layer [<paramref name="rows"/>, <paramref name="columns"/>], coded as the setting says.</summary>
    private Weight Projection(string layer, int rows, int columns, bool biasDeclared)
    {
        var bias = biasDeclared || _checkpoint.Contains($"{layer}.bias") ? Floats(Require($"{layer}.bias", rows)) : null;
        if (_config.Quantization is { } packing && packing.Converts(layer))
        {
            using var packed = new AwqReader(_checkpoint, packing, _backend.Memory).Read(layer, rows, columns, bias);
            return Upload(packed);
        }
        var tensor = Require($"{layer}.weight", rows, columns);
        return Coded(new(tensor.Name, Format(tensor), rows, columns, tensor.Data) { Bias = bias }, tensor.File, _spec.Bits);
    }

    /// <summary>The embedding or the output head, coded as the setting says.</summary>
    private Weight Vocabulary(string name)
    {
        var tensor = Require(name, _config.VocabularySize, _config.HiddenSize);
        return Coded(new(name, Format(tensor), _config.VocabularySize, _config.HiddenSize, tensor.Data), tensor.File, _spec.EmbeddingBits);
    }

    private Weight Coded(HostWeight source, string file, int bits)
    {
        if (bits == 16) return Upload(source);
        using var coded = WeightCoder.Encode(source, file, bits, _spec.Group, _backend.Memory);
        return Upload(coded);
    }

    private Weight Vector(string name, int length)
    {
        var values = Floats(Require(name, length));
        fixed (float* data = values) return Upload(new(name, WeightFormat.F32, 1, length, data));
    }

    private Weight Upload(HostWeight weight)
    {
        var uploaded = _backend.Upload(weight);
        _uploaded.Add(uploaded);
        return uploaded;
    }

    private HostTensor Require(string name, params ReadOnlySpan<int> shape)
    {
        var tensor = _checkpoint.Require(name, shape);
        Format(tensor);
        return tensor;
    }

    private static WeightFormat Format(HostTensor tensor) => tensor.Type switch
    {
        TensorType.F32 => WeightFormat.F32,
        TensorType.F16 => WeightFormat.F16,
        TensorType.BF16 => WeightFormat.BF16,
        _ => throw Refuse(tensor.File, tensor.Name, $"is of type {tensor.Type.SafeTensorsName()}; allowed: F32, F16, BF16"),
    };

    private static ConfigException Refuse(string file, string name, string what) => new($"{file}: tensor '{name}' {what}");

    private static float[] Floats(HostTensor tensor)
    {
        var values = new float[tensor.Shape[0]];
        FloatRows.Widen(tensor.Data, Format(tensor), values);
        return values;
    }
}
