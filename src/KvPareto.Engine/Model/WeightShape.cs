namespace KvPareto.Engine.Model;

/// <summary>What a weight is for, on which its precision depends.</summary>
internal enum WeightRole
{
    /// <summary>A gain [C].</summary>
    Norm,

    /// <summary>A linear layer of a decoder layer.</summary>
    Projection,

    /// <summary>The embedding or the output head.</summary>
    Vocabulary,
}

/// <summary>A weight of an architecture.</summary>
/// <param name="Name">Name in a checkpoint.</param>
/// <param name="Role">What it is for.</param>
/// <param name="Rows">Output channels N; 1 for a norm's gain.</param>
/// <param name="Columns">Input channels K.</param>
/// <param name="HasBias">The architecture has a bias [N] with it.</param>
internal sealed record WeightShape(string Name, WeightRole Role, int Rows, int Columns, bool HasBias = false)
{
    private const string Suffix = ".weight";

    /// <summary>Name of its layer in a checkpoint.</summary>
    public string Layer => Name[..^Suffix.Length];

    /// <summary>Name of its bias in a checkpoint.</summary>
    public string BiasName => Layer + ".bias";

    /// <summary>Shape of the tensor in a checkpoint: [N, K], or [C] of a norm.</summary>
    public int[] TensorShape => Role == WeightRole.Norm ? [Columns] : [Rows, Columns];
}
