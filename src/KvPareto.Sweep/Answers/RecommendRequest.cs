namespace KvPareto.Sweep.Answers;

/// <summary>What is asked of measured settings.</summary>
public sealed record RecommendRequest
{
    /// <summary>Memory that there is, in bytes; null for any.</summary>
    public long? Budget { get; init; }

    /// <summary>Tokens of the prompt; null for the lengths that were measured.</summary>
    public int? Context { get; init; }

    /// <summary>Tokens generated after it.</summary>
    public int NewTokens { get; init; } = 128;

    /// <summary>Most that may be lost; null for any loss.</summary>
    public LossLimit? MaxLoss { get; init; }

    /// <summary>The upper end of the loss's interval must be within the limit too.</summary>
    public bool Certain { get; init; }

    /// <summary>What the best of those within the limits has.</summary>
    public Preference Prefer { get; init; } = Preference.Score;

    /// <summary>The model asked about; null for all.</summary>
    public string? Model { get; init; }

    /// <summary>A model or architecture whose shapes stand for a run's that does not say its own; null for none.</summary>
    public string? Shapes { get; init; }
}

/// <summary>Which of the settings within the limits is best.</summary>
public enum Preference
{
    /// <summary>That with the highest score; of equals the smallest.</summary>
    Score,

    /// <summary>That with the smallest peak; of equals the highest score.</summary>
    Memory,

    /// <summary>That with the shortest time of a later token; of equals the highest score.</summary>
    Speed,
}
