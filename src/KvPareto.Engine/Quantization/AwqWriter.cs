using System.Collections.Immutable;
using System.Runtime.InteropServices;
using KvPareto.Engine.Formats;
using KvPareto.Engine.Model;

namespace KvPareto.Engine.Quantization;

/// <summary>
/// Writes <c>model.safetensors</c> layer by layer: linear layers packed, their biases in f16; scaled norms in f16, or in f32 where they
/// were; every other tensor as it is.
/// </summary>
internal sealed unsafe class AwqWriter : IDisposable
{
    private const int CopyBytes = 1 << 26;

    private readonly QuantizeOptions _options;
    private readonly SafeTensorsWriter _file;
    private readonly Dictionary<string, TensorType> _types;

    /// <summary>Begins the file and copies what stays as it is.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="checkpoint">Where from.</param>
    /// <param name="options">Bits and group.</param>
    public AwqWriter(string path, Checkpoint checkpoint, QuantizeOptions options)
    {
        _options = options;
        var layers = TransformerShapes.Of(checkpoint.Config).Layers;
        var linear = layers.SelectMany(layer => layer.All).Where(weight => weight.Role == WeightRole.Projection).ToDictionary(weight => weight.Name);
        var biases = linear.Values.Select(weight => weight.BiasName).ToHashSet();
        var norms = options.Method == QuantizeMethod.Rtn ? [] : layers.SelectMany(layer => new[] { layer.InputNorm.Name, layer.PostAttentionNorm.Name }).ToHashSet();
        var (specs, copies) = (new List<TensorSpec>(), new List<HostTensor>());
        foreach (var tensor in checkpoint.Names.Order(StringComparer.Ordinal).Select(checkpoint.Get))
        {
            if (linear.TryGetValue(tensor.Name, out var weight)) specs.AddRange(Packed(weight));
            else if (biases.Contains(tensor.Name)) specs.Add(new(tensor.Name, TensorType.F16, tensor.Shape));
            else if (norms.Contains(tensor.Name)) specs.Add(new(tensor.Name, tensor.Type == TensorType.F32 ? TensorType.F32 : TensorType.F16, tensor.Shape));
            else
            {
                specs.Add(new(tensor.Name, tensor.Type, tensor.Shape));
                copies.Add(tensor);
            }
        }
        _types = specs.ToDictionary(spec => spec.Name, spec => spec.Type);
        _file = new(path, specs, ImmutableDictionary<string, string>.Empty.Add("format", "pt"));
        foreach (var tensor in copies) Copy(tensor);
    }

    /// <summary>Writes a layer whose linear layers are values of f16.</summary>
    public void Write(LayerMatrices layer)
    {
        foreach (var matrix in layer.Linear)
        {
            var packed = AwqPacker.Pack(matrix, _options);
            _file.Write($"{matrix.Layer}.{AwqLayout.Codes}", packed.Codes);
            _file.Write($"{matrix.Layer}.{AwqLayout.Zeros}", packed.Zeros);
            _file.Write($"{matrix.Layer}.{AwqLayout.Scales}", packed.Scales);
            if (matrix.Bias is not null) WriteFloats($"{matrix.Layer}.bias", matrix.Bias);
        }
        if (_options.Method == QuantizeMethod.Rtn) return;
        WriteFloats(layer.InputNormName, layer.InputNorm);
        WriteFloats(layer.PostAttentionNormName, layer.PostAttentionNorm);
    }

    /// <summary>Gives the finished file its name.</summary>
    public void Complete() => _file.Complete();

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private IEnumerable<TensorSpec> Packed(WeightShape weight)
    {
        var (words, groups) = (weight.Rows / AwqLayout.WordOutputs(_options.Bits), weight.Columns / _options.Group);
        yield return new($"{weight.Layer}.{AwqLayout.Codes}", TensorType.I32, [weight.Columns, words]);
        yield return new($"{weight.Layer}.{AwqLayout.Zeros}", TensorType.I32, [groups, words]);
        yield return new($"{weight.Layer}.{AwqLayout.Scales}", TensorType.F16, [groups, weight.Rows]);
    }

    private void WriteFloats(string name, float[] values) => _file.Write(name, _types[name] == TensorType.F32
        ? MemoryMarshal.AsBytes<float>(values)
        : MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)));

    private void Copy(HostTensor tensor)
    {
        for (var first = 0L; first < tensor.ByteCount; first += CopyBytes)
            _file.Write(tensor.Name, new(tensor.Data + first, (int)Math.Min(CopyBytes, tensor.ByteCount - first)));
    }
}
