using System.Collections.Immutable;
using KvPareto.Engine.Model;
using KvPareto.Engine.Model.Families;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Quantization;

/// <summary>How codes are chosen.</summary>
public enum QuantizeMethod
{
    /// <summary>Round to nearest: the weights as they are.</summary>
    Rtn,

    /// <summary>Activation-aware (arXiv 2306.00978): input channels scaled and groups clipped so that the outputs change least.</summary>
    Awq,
}

/// <summary>What a quantized checkpoint is to be.</summary>
/// <param name="Method">How codes are chosen.</param>
/// <param name="Bits">4, or 8 (which vLLM reads and AutoAWQ does not).</param>
/// <param name="Group">Input channels that share scale and zero point, 32, 64 or 128.</param>
public sealed record QuantizeOptions(QuantizeMethod Method, int Bits, int Group)
{
    private static readonly ImmutableArray<int> AllBits = [4, 8];

    // Those that other engines' kernels take.
    private static readonly ImmutableArray<int> Groups = [32, 64, 128];

    /// <summary>Refuses what cannot be written for a model.</summary>
    /// <param name="config">The model's widths.</param>
    /// <param name="model">Its name, for messages.</param>
    /// <param name="options">What stands before an option's name where the user gives it.</param>
    /// <exception cref="ConfigException">Bits or group are unknown, a width does not fit them, or the model is packed already.</exception>
    public void Validate(ModelConfig config, string model, string options = "--")
    {
        if (!AllBits.Contains(Bits)) throw new ConfigException($"{options}bits {Bits}; allowed: {string.Join(", ", AllBits)}");
        if (!Groups.Contains(Group)) throw new ConfigException($"{options}group {Group}; allowed: {string.Join(", ", Groups)}");
        if (config.Quantization is not null)
            throw new ConfigException(
                $"{model}: config.json: key 'quantization_config' is there already; allowed: a model whose weights are not packed");
        if (!FamilyTable.Of(config.Family).Fused.IsEmpty)
            throw new ConfigException(
                $"{model}: {config.Family} fuses linear layers, which is not written; allowed: a model of another family");
        var inputs = new WeightSpec(Bits).CodedWidths(config);
        if (Array.Exists(inputs, width => width % Group != 0))
        {
            var fitting = Groups.Where(group => Array.TrueForAll(inputs, width => width % group == 0)).ToArray();
            throw new ConfigException($"{model}: {options}group {Group} does not divide all of the linear layers' input widths"
                + $" {string.Join(", ", inputs)}; allowed: {(fitting.Length == 0 ? "none" : string.Join(", ", fitting))}");
        }
        int[] outputs = [.. inputs, config.KvHeads * config.HeadDim];
        var word = AwqLayout.WordOutputs(Bits);
        if (Array.Exists(outputs, width => width % word != 0))
            throw new ConfigException(
                $"{model}: the linear layers' output widths {string.Join(", ", outputs)} are not all multiples of {word},"
                + " as the format asks for");
    }
}
