using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Generation;

/// <summary>How likely a model under one setting finds some continuations of a prompt, and what it cost to know.</summary>
/// <param name="Values">ln p of each continuation, in nats: the sum over its tokens.</param>
/// <param name="Elapsed">Time of all forward passes.</param>
/// <param name="Peaks">High-water marks; decoding is what follows the prompt, and zero where every continuation is one token.</param>
public sealed record ContinuationLikelihoods(IReadOnlyList<double> Values, TimeSpan Elapsed, MemoryPeaks Peaks)
{
    /// <summary>Tokens of the prompt that were taken over from another (<see cref="PromptPrefixes"/>).</summary>
    public int PrefixTokens { get; init; }
}
