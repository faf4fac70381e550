namespace KvPareto.Sweep.Preview;

/// <summary>A trial of a sweep that has not been run.</summary>
/// <param name="Id">16 hex digits.</param>
/// <param name="Model">Name of the model in the config.</param>
/// <param name="Setting">Short name.</param>
/// <param name="Samples">Its samples.</param>
/// <param name="SamplesDone">Those that an earlier run has measured, in this trial or in another.</param>
public sealed record PreviewedTrial(string Id, string Model, string Setting, int Samples, int SamplesDone)
{
    /// <summary>Tokens that its tasks were made to; null where they have lengths of their own.</summary>
    public int? Context { get; init; }

    /// <summary>Number of a repeat of the baseline, from 1; null for a trial of the sweep.</summary>
    public int? Repeat { get; init; }

    /// <summary>Whether it is a comparison that a search ranks the setting by.</summary>
    public bool IsProbe { get; init; }

    /// <summary><c>ok</c>, <c>failed</c> or <c>dropped</c> where it has a result and would not be run again; else null.</summary>
    public string? Status { get; init; }

    /// <summary>Its peak of inference, as predicted from shapes alone; null where a task does not generate.</summary>
    public long? PredictedPeakBytes { get; init; }

    /// <summary>Whether it would be run: its peaks, that of loading included, are within the memory. Null where either is not known, and it
    /// would.</summary>
    public bool? Fits { get; init; }

    /// <summary>Time that its missing samples will take; null where nothing measured tells.</summary>
    public TimeSpan? Left { get; init; }
}
