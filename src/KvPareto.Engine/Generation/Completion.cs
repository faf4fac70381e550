using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Generation;

/// <summary>What one generation gave and what it cost.</summary>
/// <param name="Ids">New token ids, the end token included where reached.</param>
/// <param name="PromptTokens">Length of the prompt.</param>
/// <param name="TimeToFirstToken">Prompt in to first token out.</param>
/// <param name="DecodeTime">Time of all later tokens.</param>
/// <param name="Peaks">High-water marks of this generation by phase; load's is the model's.</param>
public sealed record Completion(int[] Ids, int PromptTokens, TimeSpan TimeToFirstToken, TimeSpan DecodeTime, MemoryPeaks Peaks)
{
    /// <summary>Tokens of the prompt that were taken over from another (<see cref="PromptPrefixes"/>).</summary>
    public int PrefixTokens { get; init; }

    /// <summary>Mean time of each token after the first; null where there was none.</summary>
    public TimeSpan? TimePerOutputToken => Ids.Length > 1 ? DecodeTime / (Ids.Length - 1) : null;
}
