namespace KvPareto.Sweep.Answers.Checks;

/// <summary>A setting as an earlier run's results.csv or frontier.csv has it.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Setting">Short name.</param>
/// <param name="Context">Tokens of the prompts where the sweep had several; else null.</param>
/// <param name="PeakBytes">Total peak.</param>
/// <param name="Score">Score, 0 to 100; null of tasks without one.</param>
/// <param name="Low">Lower end of its 95 % interval.</param>
internal sealed record EarlierPoint(string Model, string Setting, int? Context, long PeakBytes, double? Score, double? Low)
{
    /// <summary>Id of its trial, which other tasks, data or seeds change; null where the file does not say.</summary>
    public string? Trial { get; init; }

    /// <summary>Digest of the model's files; null where the file does not say.</summary>
    public string? ModelDigest { get; init; }

    /// <summary>Samples that were measured; null where the file does not say.</summary>
    public int? Samples { get; init; }

    /// <summary>Tasks and their parts that were scored; empty where the file does not say.</summary>
    public IReadOnlyList<string> Tasks { get; init; } = [];

    /// <summary>Whether no other setting dominated it; also where the file does not say.</summary>
    public bool OnFrontier { get; init; } = true;

    /// <summary>Most samples that were measured of each task; null for all.</summary>
    public int? Limit { get; init; }

    /// <summary>The device's instructions, in words; null where the file does not say.</summary>
    public string? Instructions { get; init; }
}
