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

    private static readonly string[] LinearNames =
        ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"];

    private static readonly string[] NormNames = ["input_layernorm.weight", "post_attention_layernorm.weight"];

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
        var linear = InEachLayer(LinearNames, checkpoint.Config);
        var norms = options.Method == QuantizeMethod.Rtn ? [] : InEachLayer(NormNames, checkpoint.Config);
        var (specs, copies) = (new List<TensorSpec>(), new List<HostTensor>());
        foreach (var tensor in checkpoint.Names.Order(StringComparer.Ordinal).Select(checkpoint.Get))
        {
            var layer = tensor.Name[..Math.Max(0, tensor.Name.LastIndexOf('.'))];
            if (linear.Contains(layer) && tensor.Name == $"{layer}.weight") specs.AddRange(Packed(layer, (int)tensor.Shape[0], (int)tensor.Shape[1]));
            else if (linear.Contains(layer) && tensor.Name == $"{layer}.bias") specs.Add(new(tensor.Name, TensorType.F16, tensor.Shape));
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

    private static HashSet<string> InEachLayer(IReadOnlyList<string> names, ModelConfig config) =>
        [.. Enumerable.Range(0, config.LayerCount).SelectMany(layer => names.Select(name => $"model.layers.{layer}.{name}"))];

    private IEnumerable<TensorSpec> Packed(string layer, int rows, int columns)
    {
        var (words, groups) = (rows / AwqLayout.WordOutputs(_options.Bits), columns / _options.Group);
        yield return new($"{layer}.{AwqLayout.Codes}", TensorType.I32, [columns, words]);
        yield return new($"{layer}.{AwqLayout.Zeros}", TensorType.I32, [groups, words]);
        yield return new($"{layer}.{AwqLayout.Scales}", TensorType.F16, [groups, rows]);
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
