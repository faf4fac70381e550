namespace KvPareto.Sweep.Config;

/// <summary>One model of a config.</summary>
/// <param name="Name">Its name in results: <c>embedded:llama</c>, or a folder's own name unless another is given.</param>
/// <param name="Model">What <see cref="Engine.Checkpoints.Sources.ModelSource.Open"/> takes; a path is a full one.</param>
/// <param name="Place">File and line (or option) it comes from, for messages.</param>
public sealed record ModelEntry(string Name, string Model, string Place)
{
    /// <summary>Other weights of it that settings may ask for; they stand on its frontier.</summary>
    public IReadOnlyList<WeightVariant> Variants { get; init; } = [];

    /// <summary>The model's own list of weights, in place of that of the axes; null where it has none.</summary>
    internal AxisValues? Weights { get; init; }
}
