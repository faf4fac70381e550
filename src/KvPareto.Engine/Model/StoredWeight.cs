using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Engine.Model;

/// <summary>How a tensor of a checkpoint comes to <see cref="Backend.Upload"/>.</summary>
/// <param name="Format">Element format.</param>
/// <param name="Group">Input channels of a group of codes; 0 where the format has none.</param>
/// <param name="StagingBytes">Host memory taken until it is uploaded; zero where it is read a piece at a time.</param>
/// <param name="ReadingBytes">Host memory taken only while it is read.</param>
public readonly record struct StoredWeight(WeightFormat Format, int Group = 0, long StagingBytes = 0, long ReadingBytes = 0)
{
    /// <summary>Host memory taken by a vector, which is read whole.</summary>
    public long WholeBytes => StagingBytes + ReadingBytes;
}
