using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Answers;

/// <summary>A measured setting with what it takes at the context asked for and what it loses.</summary>
/// <param name="Setting">Short name.</param>
/// <param name="Peak">What it takes.</param>
/// <param name="Score">0 to 100.</param>
/// <param name="Interval">95 % interval of the score.</param>
public sealed record Candidate(string Setting, ExpectedPeak Peak, double Score, ScoreInterval Interval)
{
    /// <summary>True for the baseline itself.</summary>
    public bool IsBaseline { get; init; }

    /// <summary>What it loses, in the unit of the limit or in percent of the baseline's score; null without a baseline.</summary>
    public double? Loss { get; init; }

    /// <summary>95 % interval of <see cref="Loss"/>, paired.</summary>
    public ScoreInterval? LossInterval { get; init; }

    /// <summary>Median milliseconds of a later token.</summary>
    public double? TpotMs { get; init; }

    /// <summary>Median milliseconds to the first token at the measured lengths.</summary>
    public double? TtftMs { get; init; }

    /// <summary>Within the memory asked for.</summary>
    public required bool Fits { get; init; }

    /// <summary>Within the loss asked for.</summary>
    public required bool KeepsUp { get; init; }

    /// <summary>The longest prompt that fits the budget; null without one or without shapes.</summary>
    public int? LongestContext { get; init; }
}

/// <summary>The answer for one model.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Choice">The best setting within the limits; null where there is none.</param>
/// <param name="Candidates">All settings that were looked at, by expected peak.</param>
public sealed record ModelAnswer(string Model, Candidate? Choice, IReadOnlyList<Candidate> Candidates)
{
    /// <summary>Decoder layers; null where the shapes are not known.</summary>
    public int? Layers { get; init; }

    /// <summary>
    /// Where nothing is within both limits: the setting within the loss that needs the least memory; of all where none is within either.
    /// </summary>
    public Candidate? NearestInMemory =>
        Among(candidate => candidate.KeepsUp, candidate => candidate.Fits).MinBy(candidate => candidate.Peak.NeededBytes);

    /// <summary>
    /// Where nothing is within both limits: the setting within the memory that loses least; of all where none is within either.
    /// </summary>
    public Candidate? NearestInLoss =>
        Among(candidate => candidate.Fits, candidate => candidate.KeepsUp).MinBy(candidate => candidate.Loss ?? -candidate.Score);

    private IEnumerable<Candidate> Among(Func<Candidate, bool> isWithin, Func<Candidate, bool> isWithinOther) =>
        Candidates.Any(isWithin) || Candidates.Any(isWithinOther) ? Candidates.Where(isWithin) : Candidates;
}
