using System.Collections.Immutable;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Quantization;

/// <summary>
/// Writes <c>model.safetensors</c> layer by layer: linear layers packed, their biases in f16; scaled norms in f16, or in f32 where they
/// were; every other tensor as it is, but blocks, which the file's format has not, in f16.
/// </summary>
internal sealed unsafe class AwqWriter : IDisposable
{
    private const int CopyBytes = 1 << 22;
    private const int WidenedElements = 1 << 20; // a multiple of every block's

    private readonly QuantizeOptions _options;
    private readonly SafeTensorsWriter _file;
    private readonly Dictionary<string, TensorType> _types;
    private readonly List<string> _copies = [];

    /// <summary>Begins the file.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="checkpoint">Where from.</param>
    /// <param name="options">Bits and group.</param>
    /// <param name="staging">Where bytes of tensors count while their shapes are looked at.</param>
    public AwqWriter(string path, Checkpoint checkpoint, QuantizeOptions options, MemoryLedger staging)
    {
        _options = options;
        var layers = TransformerShapes.Of(checkpoint.Config).Layers;
        var linear = layers.SelectMany(layer => layer.All)
            .Where(weight => weight.Role == WeightRole.Projection)
            .ToDictionary(weight => weight.Name);
        var biases = linear.Values.Select(weight => weight.BiasName).ToHashSet();
        var norms = options.Method == QuantizeMethod.Rtn
            ? []
            : layers.SelectMany(layer => new[] { layer.InputNorm.Name, layer.PostAttentionNorm.Name }).ToHashSet();
        var specs = new List<TensorSpec>();
        foreach (var name in checkpoint.Names.Order(StringComparer.Ordinal))
        {
            if (linear.TryGetValue(name, out var weight))
            {
                specs.AddRange(AwqLayout.TensorsOf(weight, options.Bits, options.Group)
                    .Select(part => new TensorSpec(part.Name, part.Type, [.. part.Shape.Select(length => (long)length)])));
                continue;
            }
            using var tensor = checkpoint.Get(name, staging);
            if (biases.Contains(name)) specs.Add(new(name, TensorType.F16, tensor.Shape));
            else if (norms.Contains(name))
                specs.Add(new(name, tensor.Type == TensorType.F32 ? TensorType.F32 : TensorType.F16, tensor.Shape));
            else
            {
                specs.Add(new(name, tensor.Type.IsBlocks() ? TensorType.F16 : tensor.Type, tensor.Shape));
                _copies.Add(name);
            }
        }
        _types = specs.ToDictionary(spec => spec.Name, spec => spec.Type);
        _file = new(path, specs, ImmutableDictionary<string, string>.Empty.Add("format", "pt"));
    }

    /// <summary>Copies what stays as it is.</summary>
    /// <param name="checkpoint">Where from.</param>
    /// <param name="staging">Where bytes count while they are copied.</param>
    /// <exception cref="ConfigException">A block holds a value that f16 cannot.</exception>
    public void CopyRest(Checkpoint checkpoint, MemoryLedger staging)
    {
        foreach (var name in _copies)
        {
            using var tensor = checkpoint.Get(name, staging);
            if (tensor.Type.IsBlocks()) Widen(tensor);
            else Copy(tensor);
        }
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

    private void WriteFloats(string name, float[] values) => _file.Write(name, _types[name] == TensorType.F32
        ? MemoryMarshal.AsBytes<float>(values)
        : MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)));

    private void Copy(HostTensor tensor)
    {
        var bytes = new byte[Math.Min(CopyBytes, tensor.ByteCount)];
        for (var first = 0L; first < tensor.ByteCount; first += CopyBytes)
        {
            var piece = bytes.AsSpan(0, (int)Math.Min(CopyBytes, tensor.ByteCount - first));
            tensor.Read(first, piece);
            _file.Write(tensor.Name, piece);
        }
    }

    private void Widen(HostTensor tensor)
    {
        var format = tensor.Header.Format;
        var shape = BlockShape.Of(format);
        var (values, halves) = (new float[WidenedElements], new Half[WidenedElements]);
        var count = tensor.ByteCount / shape.ByteCount * shape.Elements;
        var bytes = new byte[shape.RowBytes(WidenedElements)];
        for (var first = 0L; first < count; first += WidenedElements)
        {
            var piece = values.AsSpan(0, (int)Math.Min(WidenedElements, count - first));
            tensor.Read(shape.RowBytes(first), bytes.AsSpan(0, (int)shape.RowBytes(piece.Length)));
            fixed (byte* source = bytes) FloatRows.Widen(source, format, piece);
            LinearMatrix.CheckHalf(tensor, piece);
            TensorPrimitives.ConvertToHalf(piece, halves);
            _file.Write(tensor.Name, MemoryMarshal.AsBytes(halves.AsSpan(0, piece.Length)));
        }
    }
}
