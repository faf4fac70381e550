using System.Collections.Immutable;
using System.Numerics.Tensors;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;
using KvPareto.Text.Input;

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
        Check(checkpoint, spec);
        (_backend, _checkpoint, _config, _spec) = (backend, checkpoint, checkpoint.Config, spec);
    }

    /// <summary>Refuses tensors that are missing or do not fit the architecture or the precision, without reading one.</summary>
    /// <exception cref="ConfigException">Names the tensor, and what is allowed.</exception>
    public static void Check(Checkpoint checkpoint, WeightSpec spec)
    {
        spec.Validate(checkpoint);
        foreach (var shape in TransformerShapes.Of(checkpoint.Config).All) Check(checkpoint, shape, Bits(spec, shape.Role), spec.Group);
    }

    /// <summary>Bits that a matrix is coded at; 16 leaves it as the checkpoint has it.</summary>
    public static int Bits(WeightSpec spec, WeightRole role) => role == WeightRole.Projection ? spec.Bits : spec.EmbeddingBits;

    /// <summary>How a weight comes to the backend where it is not coded: as its tensor lies, or for a packed layer as codes.</summary>
    /// <exception cref="ConfigException">The checkpoint has no such tensor, or it is of a type that no weight can have, or it does not
    /// fit the packing.</exception>
    public static StoredWeight Stored(Checkpoint checkpoint, WeightShape shape) =>
        checkpoint.Config.Quantization is { } packing && packing.Converts(shape)
            ? packing.Stored(shape, checkpoint.Source)
            : checkpoint.Stored(shape.Name);

    /// <summary>True where a matrix comes with a bias: the architecture has one, or the checkpoint does.</summary>
    public static bool HasBias(Checkpoint checkpoint, WeightShape shape) =>
        shape.HasBias || (shape.Role == WeightRole.Projection && checkpoint.Contains(shape.BiasName));

    /// <summary>Uploads all weights and hands them over.</summary>
    public TransformerWeights Load()
    {
        var shapes = TransformerShapes.Of(_config);
        var embedding = Matrix(shapes.Embedding);
        LayerWeights[] layers = [.. shapes.Layers.Select(Layer)];
        var finalNorm = FinalNorm(shapes);
        var head = shapes.Head is null ? embedding : Matrix(shapes.Head);
        var weights = new TransformerWeights(embedding, [.. layers], finalNorm, head, KeyBiases(shapes));
        _uploaded.Clear();
        return weights;
    }

    /// <summary>Uploads what turns hidden states into logits, and hands it over.</summary>
    public (Weight FinalNorm, Weight Head) LoadHead()
    {
        var shapes = TransformerShapes.Of(_config);
        var loaded = (FinalNorm(shapes), Matrix(shapes.Head ?? shapes.Embedding));
        _uploaded.Clear();
        return loaded;
    }

    /// <summary>The embedding alone; it stays this loader's.</summary>
    public Weight Embedding() => Matrix(TransformerShapes.Of(_config).Embedding);

    /// <summary>The weights of one layer alone; they stay this loader's.</summary>
    public LayerWeights Layer(int index) => Layer(LayerShapes.Of(_config, index));

    /// <summary>Gives back what was uploaded but not handed over.</summary>
    public void Dispose() => Release();

    /// <summary>As <see cref="Dispose"/>, but more may be loaded.</summary>
    public void Release()
    {
        foreach (var weight in _uploaded) weight.Dispose();
        _uploaded.Clear();
    }

    private static void Check(Checkpoint checkpoint, WeightShape shape, int bits, int group)
    {
        if (checkpoint.Config.Quantization is { } packing && packing.Converts(shape)) checkpoint.CheckPacked(packing, shape);
        else
        {
            var header = checkpoint.Header(shape.Name, shape.TensorShape);
            header.RequireWeight();
            if (shape.Role != WeightRole.Norm && bits < 16)
                WeightCoder.RequireDividing(group, shape.Columns, shape.Name, header.File);
        }
        if (HasBias(checkpoint, shape)) checkpoint.Header(shape.BiasName, shape.Rows).RequireWeight();
    }

    private ImmutableArray<float[]>? KeyBiases(TransformerShapes shapes) => shapes.Layers.All(layer => HasBias(_checkpoint, layer.Key))
        ? [.. shapes.Layers.Select(layer => Floats(layer.Key.BiasName))]
        : null;

    private LayerWeights Layer(LayerShapes shapes) => new()
    {
        InputNorm = Vector(shapes.InputNorm),
        Query = Matrix(shapes.Query),
        Key = Matrix(shapes.Key),
        Value = Matrix(shapes.Value),
        Output = Matrix(shapes.Output),
        QueryNorm = shapes.QueryNorm is null ? null : Vector(shapes.QueryNorm),
        KeyNorm = shapes.KeyNorm is null ? null : Vector(shapes.KeyNorm),
        IsTurned = shapes.IsTurned,
        PostAttentionNorm = Vector(shapes.PostAttentionNorm),
        Gate = Matrix(shapes.Gate),
        Up = Matrix(shapes.Up),
        Down = Matrix(shapes.Down),
    };

    /// <summary>A matrix, coded as the setting says.</summary>
    private Weight Matrix(WeightShape shape)
    {
        if (_config.Quantization is { } packing && packing.Converts(shape))
        {
            using var packed = _checkpoint.ReadPacked(packing, shape, Bias(shape), _backend.Memory);
            return Upload(packed);
        }
        using var tensor = _checkpoint.Get(shape.Name, _backend.Memory);
        var source = HostWeight.OfRows(tensor.Name, tensor.Header.Format, shape.Rows, shape.Columns, tensor, Bias(shape));
        return Coded(source, tensor.File, Bits(_spec, shape.Role));
    }

    private float[]? Bias(WeightShape shape) => HasBias(_checkpoint, shape) ? Floats(shape.BiasName) : null;

    private Weight Coded(HostWeight source, string file, int bits)
    {
        if (bits == 16) return Upload(source);
        using var coded = WeightCoder.Encode(source, file, bits, _spec.Group, _backend.Memory);
        return Upload(coded);
    }

    // The head is linear in the gain: what divides the logits divides it.
    private Weight FinalNorm(TransformerShapes shapes) => Vector(shapes.FinalNorm, _config.LogitDivisor);

    private Weight Vector(WeightShape shape, float divisor = 1)
    {
        var values = Floats(shape.Name);
        if (divisor != 1) TensorPrimitives.Divide(values, divisor, values);
        fixed (float* data = values) return Upload(new(shape.Name, WeightFormat.F32, 1, shape.Columns, data));
    }

    private Weight Upload(HostWeight weight)
    {
        var uploaded = _backend.Upload(weight);
        _uploaded.Add(uploaded);
        return uploaded;
    }

    private float[] Floats(string name)
    {
        using var tensor = _checkpoint.Get(name, _backend.Memory);
        return tensor.Floats();
    }
}
