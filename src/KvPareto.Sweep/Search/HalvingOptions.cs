using System.Globalization;

namespace KvPareto.Sweep.Search;

/// <summary>All settings are measured on few samples, those that lose are dropped, and the rest goes on with twice as many.</summary>
internal sealed record HalvingOptions : SearchOptions
{
    /// <summary>Name in configs.</summary>
    public const string Word = "halving";

    /// <summary>Points of score by which a setting must lead one that is at most as heavy; below 0 for settings that may lose by as
    /// much.</summary>
    public double Margin { get; init; } = 5;

    /// <summary>How certain it must be that a setting will not, for it to be dropped.</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>How often samples are doubled: the first share is 1 / 2^Levels.</summary>
    public int Levels { get; init; } = 4;

    /// <inheritdoc/>
    public override string Kind => Word;

    public override string Text =>
        string.Create(CultureInfo.InvariantCulture, $"{Word} margin={Margin} confidence={Confidence} levels={Levels} seed={Seed}");

    public override ISearch Create() => new HalvingSearch(this);
}
