using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Engine.Model;

/// <summary>How a tensor of a checkpoint comes to <see cref="Backend.Upload"/>.</summary>
/// <param name="Format">Element format.</param>
/// <param name="Group">Input channels of a group of codes; 0 where the format has none.</param>
/// <param name="StagingBytes">Host memory taken while it is read; zero where it lies in a mapped file.</param>
public readonly record struct StoredWeight(WeightFormat Format, int Group = 0, long StagingBytes = 0);
