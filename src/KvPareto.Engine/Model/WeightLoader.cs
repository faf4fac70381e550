using KvPareto.Engine.Formats;
using KvPareto.Engine.Formats.Gguf;

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
        if (spec.Bits is not (4 or 16)) throw new ConfigException($"weight bits {spec.Bits}: allowed are 4, 16");
        if (spec.Bits == 4 && !WeightCoder.Groups.Contains(spec.Group))
            throw new ConfigException($"weight group {spec.Group}: allowed are {string.Join(", ", WeightCoder.Groups)}");
        (_backend, _checkpoint, _config, _spec) = (backend, checkpoint, checkpoint.Config, spec);
    }

    /// <summary>Uploads all weights and hands them over.</summary>
    public TransformerWeights Load()
    {
        var embedding = Matrix("model.embed_tokens.weight", _config.VocabularySize, _config.HiddenSize);
        var layers = Enumerable.Range(0, _config.LayerCount).Select(Layer).ToArray();
        var finalNorm = Vector("model.norm.weight", _config.HiddenSize);
        var head = _config.TiedEmbeddings ? embedding : Matrix("lm_head.weight", _config.VocabularySize, _config.HiddenSize);
        _uploaded.Clear();
        return new(embedding, [.. layers], finalNorm, head);
    }

    /// <summary>Gives back what was uploaded but not handed over.</summary>
    public void Dispose()
    {
        foreach (var weight in _uploaded) weight.Dispose();
        _uploaded.Clear();
    }

    private LayerWeights Layer(int index)
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
        var tensor = Require($"{layer}.weight", rows, columns);
        var bias = biasDeclared || _checkpoint.Contains($"{layer}.bias") ? Floats(Require($"{layer}.bias", rows)) : null;
        using var source = Host(tensor, rows, columns, bias);
        if (_spec.Bits == 16) return Upload(source);
        using var plain = BlockShape.IsBlocks(source.Format) ? Decoded(source) : null;
        using var coded = WeightCoder.Encode(plain ?? source, tensor.File, _spec.Group, _backend.Memory);
        return Upload(coded);
    }

    private Weight Matrix(string name, int rows, int columns)
    {
        using var source = Host(Require(name, rows, columns), rows, columns, null);
        return Upload(source);
    }

    /// <summary>A matrix as the checkpoint has it, its rows in order.</summary>
    private HostWeight Host(HostTensor tensor, int rows, int columns, float[]? bias)
    {
        if (tensor.IsInOrder) return new(tensor.Name, Format(tensor), rows, columns, tensor.Data) { Bias = bias };
        var staging = new NativeBuffer(_backend.Memory, MemoryCategory.Workspace, tensor.ByteCount);
        tensor.CopyTo(staging.As<byte>());
        return new(tensor.Name, Format(tensor), rows, columns, staging.As<byte>(), staging) { Bias = bias };
    }

    // Coding a second time begins with the values that the blocks stand for.
    private HostWeight Decoded(HostWeight blocks)
    {
        var staging = new NativeBuffer(_backend.Memory, MemoryCategory.Workspace, (long)blocks.RowCount * blocks.ColumnCount * sizeof(float));
        var rowBytes = BlockShape.Of(blocks.Format).RowBytes(blocks.ColumnCount);
        Parallel.For(0, blocks.RowCount, row =>
        {
            var values = new Span<float>(staging.As<float>() + (long)row * blocks.ColumnCount, blocks.ColumnCount);
            FloatRows.Widen(blocks.Data + row * rowBytes, blocks.Format, values);
        });
        return new(blocks.Name, WeightFormat.F32, blocks.RowCount, blocks.ColumnCount, staging.As<float>(), staging) { Bias = blocks.Bias };
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
        var expected = $"[{string.Join(", ", shape.ToArray())}]";
        if (!_checkpoint.Contains(name))
            throw Refuse(_checkpoint.Source, name, $"is missing; the configuration asks for one of shape {expected}");
        var tensor = _checkpoint.Get(name);
        var fits = tensor.Shape.Length == shape.Length;
        for (var i = 0; fits && i < shape.Length; i++) fits = tensor.Shape[i] == shape[i];
        if (!fits) throw Refuse(tensor.File, name, $"has shape {tensor.ShapeText}; the configuration asks for {expected}");
        Format(tensor);
        return tensor;
    }

    private static WeightFormat Format(HostTensor tensor) => GgmlType.Of(tensor.Type)?.Format
        ?? throw Refuse(tensor.File, tensor.Name, $"is of type {tensor.Type.SafeTensorsName()}; allowed: F32, F16, BF16");

    private static ConfigException Refuse(string file, string name, string what) => new($"{file}: tensor '{name}' {what}");

    private static float[] Floats(HostTensor tensor)
    {
        var format = Format(tensor);
        if (BlockShape.IsBlocks(format))
            throw Refuse(tensor.File, tensor.Name, $"is a vector of type {tensor.Type.SafeTensorsName()}; allowed: F32, F16, BF16");
        var bytes = new byte[tensor.ByteCount];
        var values = new float[tensor.Shape[0]];
        fixed (byte* data = bytes)
        {
            tensor.CopyTo(data);
            FloatRows.Widen(data, format, values);
        }
        return values;
    }
}
