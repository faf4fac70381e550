using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>What the samples of a trial share, so that it takes less time; what comes of them is as if they shared nothing.</summary>
/// <param name="BatchSize">Samples at the most whose new tokens are made together.</param>
/// <param name="Prefixes">Whether what a prompt has in common with the one before is read once.</param>
internal readonly record struct WorkSharing(int BatchSize, bool Prefixes)
{
    /// <summary>Whether they share anything.</summary>
    public bool IsAny => BatchSize > 1 || Prefixes;

    /// <summary>Whether a sample may.</summary>
    public bool Includes(TaskSample sample) => IsTogether(sample) || (Prefixes && sample.Kind is (SampleKind.Answer or SampleKind.Rate));

    /// <summary>Whether a sample is answered together with others.</summary>
    public bool IsTogether(TaskSample sample) => BatchSize > 1 && sample is { Kind: SampleKind.Answer, MaxNewTokens: > 1 };
}
