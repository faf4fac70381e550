namespace KvPareto.Engine.Model;

/// <summary>How a tensor of a checkpoint comes to <see cref="Backend.Upload"/>.</summary>
/// <param name="Format">Element format.</param>
/// <param name="StagingBytes">Host memory taken while it is read; zero where it lies in a mapped file.</param>
public readonly record struct StoredWeight(WeightFormat Format, long StagingBytes = 0);
