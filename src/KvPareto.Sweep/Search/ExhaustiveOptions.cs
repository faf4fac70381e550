using System.Globalization;

namespace KvPareto.Sweep.Search;

/// <summary>Every setting is measured whole.</summary>
internal sealed record ExhaustiveOptions : SearchOptions
{
    /// <summary>Name in configs.</summary>
    public const string Word = "exhaustive";

    /// <summary>Prompts of all tasks together on which settings are probed besides: what other searches would have made of the run can
    /// then be told from its folder.</summary>
    public int ProbesBesides { get; init; }

    /// <inheritdoc/>
    public override string Kind => Word;

    /// <inheritdoc/>
    public override int Probes => ProbesBesides;

    public override bool Chooses => false;

    public override string Text => string.Create(CultureInfo.InvariantCulture, $"{Word} probes={Probes}");

    public override ISearch Create() => new ExhaustiveSearch(Probes > 0);
}
