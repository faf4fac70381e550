namespace KvPareto.Cuda;

/// <summary>What becomes of a product's sums (stream.cuh, LinearMode).</summary>
internal enum LinearMode
{
    /// <summary>They are stored.</summary>
    Store,

    /// <summary>They are added to what is there.</summary>
    Add,

    /// <summary>silu(first)·second is stored as the first.</summary>
    Gated,
}
