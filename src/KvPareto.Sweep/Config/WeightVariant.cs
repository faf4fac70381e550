using KvPareto.Engine.Checkpoints.Awq;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Engine.Quantization;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Config;

/// <summary>Other weights of a model, coded by something else than round to nearest: they share its frontier and its baseline.</summary>
/// <param name="Form">How its linear layers are coded: what settings call it.</param>
/// <param name="Source">Where it comes from, for results: the config's own words.</param>
/// <param name="Place">File, line and key, for messages.</param>
public sealed record WeightVariant(WeightForm Form, string Source, string Place)
{
    /// <summary>Full path of the folder or file; null where <see cref="Recipe"/> makes it.</summary>
    public string? Path { get; init; }

    /// <summary>How it is made of the model.</summary>
    public AwqRecipe? Recipe { get; init; }

    /// <summary>Its names and shapes, for what needs no values: it need not have been made.</summary>
    /// <param name="model">The model that it is a variant of; stays the caller's.</param>
    /// <exception cref="ConfigException">It cannot be made of this model, or its file cannot be read.</exception>
    public Checkpoint Open(Checkpoint model)
    {
        if (Recipe is not { } recipe) return ModelSource.Open(Path!).OpenShapes();
        try
        {
            new QuantizeOptions(QuantizeMethod.Awq, recipe.Bits, recipe.Group).Validate(model.Config, model.Source, options: "");
        }
        catch (ConfigException e)
        {
            throw new ConfigException($"{Place}: {e.Message}", e);
        }
        return new AwqShapes(model, new(recipe.Bits, recipe.Group, []));
    }
}

/// <summary>How AWQ weights are made of a model, as <c>kvpareto quantize --method awq</c> makes them.</summary>
/// <param name="Bits">4 or 8.</param>
/// <param name="Group">Input channels that share a scale: 32, 64 or 128.</param>
/// <param name="Calibration">Full path of the texts.</param>
/// <param name="Samples">Texts taken from the file.</param>
/// <param name="Tokens">First tokens taken of each.</param>
public sealed record AwqRecipe(int Bits, int Group, string Calibration, int Samples, int Tokens);
