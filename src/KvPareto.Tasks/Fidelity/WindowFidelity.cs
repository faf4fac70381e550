using KvPareto.Engine.Seam;

namespace KvPareto.Tasks.Fidelity;

/// <summary>What one setting did to one window of a text.</summary>
public sealed record WindowFidelity
{
    /// <summary>Tokens of the window.</summary>
    public required int Tokens { get; init; }

    /// <summary>KL(reference ‖ setting) after each of the W tokens that are compared, in nats.</summary>
    public required IReadOnlyList<double> Divergences { get; init; }

    /// <summary>Positions at which setting and reference have the same likeliest token.</summary>
    public required int SameTop { get; init; }

    /// <summary>−ln probability of each of the W − 1 tokens that something precedes, in nats.</summary>
    public required IReadOnlyList<double> Surprises { get; init; }

    /// <summary>The same of the reference.</summary>
    public required IReadOnlyList<double> ReferenceSurprises { get; init; }

    /// <summary>Bytes of the window's cache.</summary>
    public required long CacheBytes { get; init; }

    /// <summary>Time of the window's forward passes, without the comparison.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Time of the comparison: logits of both, and their figures.</summary>
    public required TimeSpan ComparedIn { get; init; }

    /// <summary>High-water marks of the forward passes, without the comparison.</summary>
    public required MemoryPeaks Peaks { get; init; }
}
