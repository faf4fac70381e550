namespace KvPareto.Sweep.Search;

/// <summary>How a sweep chooses what it measures.</summary>
internal abstract record SearchOptions
{
    /// <summary>Name in configs.</summary>
    public abstract string Kind { get; }

    /// <summary>Seed of the order in which samples are taken, and of all else that is drawn.</summary>
    public required int Seed { get; init; }

    /// <summary>Prompts of all tasks together that settings are probed on; 0 for no probes.</summary>
    public virtual int Probes => 0;

    /// <summary>Whether settings may be left out, which takes a score to tell them apart by.</summary>
    public virtual bool Chooses => true;

    /// <summary>All options on one line: what was decided under others does not count.</summary>
    public abstract string Text { get; }

    /// <summary>Makes the search.</summary>
    public abstract ISearch Create();
}
