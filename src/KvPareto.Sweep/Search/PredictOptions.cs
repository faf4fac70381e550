using System.Globalization;

namespace KvPareto.Sweep.Search;

/// <summary>All settings are probed, and tasks run only where the score that is predicted from the divergence reaches the
/// frontier.</summary>
internal sealed record PredictOptions : SearchOptions
{
    /// <summary>Name in configs.</summary>
    public const string Word = "predict";

    /// <summary>Prompts of all tasks together that every setting is probed on.</summary>
    public int Prompts { get; init; } = 1;

    /// <summary>Points of score by which a predicted interval must pass what is known to be reached with as much memory.</summary>
    public double Margin { get; init; } = 2;

    /// <summary>Two-sided confidence of the predicted intervals.</summary>
    public double Confidence { get; init; } = 0.8;

    /// <summary>Percent of the hypervolume that is known to be reached, which a setting must be expected to add.</summary>
    public double Gain { get; init; }

    /// <summary>Settings measured before predictions are made anew: as many workers can share them.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>How often a setting's samples are doubled before all are measured: the first share is 1 / 2^Levels; 0 for all at
    /// once.</summary>
    public int Levels { get; init; } = 2;

    /// <inheritdoc/>
    public override string Kind => Word;

    /// <inheritdoc/>
    public override int Probes => Prompts;

    public override string Text => string.Create(
        CultureInfo.InvariantCulture,
        $"{Word} probes={Prompts} margin={Margin} confidence={Confidence}{(Gain > 0 ? $" gain={Gain}" : "")} levels={Levels} batch={Batch} "
            + $"seed={Seed}");

    public override ISearch Create() => new PredictSearch(this);
}
