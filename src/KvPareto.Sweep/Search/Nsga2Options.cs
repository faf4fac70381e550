using System.Globalization;

namespace KvPareto.Sweep.Search;

/// <summary>A genetic algorithm over the axes: generation after generation of settings that are mixed from the best so far.</summary>
internal sealed record Nsga2Options : SearchOptions
{
    /// <summary>Name in configs.</summary>
    public const string Word = "nsga2";

    /// <summary>Settings of a generation.</summary>
    public int Population { get; init; } = 12;

    /// <summary>Generations, the first one included.</summary>
    public int Generations { get; init; } = 4;

    /// <inheritdoc/>
    public override string Kind => Word;

    public override string Text =>
        string.Create(CultureInfo.InvariantCulture, $"{Word} population={Population} generations={Generations} seed={Seed}");

    public override ISearch Create() => new Nsga2Search(this);
}
