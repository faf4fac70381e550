using System.Text.Json.Serialization;
using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Running;

/// <summary>What a running sweep tells; see the derived records. docs/sweep-json.md has them as JSON.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(WeightsMade), "weights")]
[JsonDerivedType(typeof(SweepPlanned), "run")]
[JsonDerivedType(typeof(TrialBegun), "started")]
[JsonDerivedType(typeof(SampleMeasured), "sample")]
[JsonDerivedType(typeof(TrialEnded), "finished")]
[JsonDerivedType(typeof(TrialFailed), "failed")]
[JsonDerivedType(typeof(TrialDropped), "dropped")]
[JsonDerivedType(typeof(TrialLeft), "elsewhere")]
[JsonDerivedType(typeof(SweepWaiting), "waiting")]
[JsonDerivedType(typeof(WorkerGone), "gone")]
[JsonDerivedType(typeof(SweepEnded), "end")]
public abstract record SweepEvent
{
    /// <summary>How long the rest of the sweep will take; null while nothing tells, and of events that change nothing about it.</summary>
    [JsonPropertyName("secondsLeft")]
    public TimeSpan? Left { get; init; }

    /// <summary>How long it would take this process alone; null where it is the only one.</summary>
    [JsonPropertyName("secondsLeftAlone")]
    public TimeSpan? LeftAlone { get; init; }

    /// <summary>The worker that tells, where one process tells of several; else null.</summary>
    public string? Worker { get; init; }
}

/// <summary>Weights of a model are being made, before the plan.</summary>
/// <param name="Model">Model.</param>
/// <param name="Form">What settings call the weights.</param>
/// <param name="Layer">Layers done.</param>
/// <param name="Layers">Layers of the model.</param>
public sealed record WeightsMade(string Model, string Form, int Layer, int Layers) : SweepEvent;

/// <summary>The plan is made and the folder open.</summary>
/// <param name="Trials">Trials of the sweep.</param>
/// <param name="TrialsDone">Those that earlier runs or other workers have done.</param>
/// <param name="Samples">Samples over all trials.</param>
/// <param name="SamplesDone">Those of the trials done.</param>
public sealed record SweepPlanned(int Trials, int TrialsDone, long Samples, long SamplesDone) : SweepEvent
{
    /// <summary>Name of the sweep.</summary>
    public string Name { get; init; } = "";

    /// <summary>Run folder.</summary>
    public string Folder { get; init; } = "";

    /// <summary>Most samples of each task; null for all.</summary>
    public int? Limit { get; init; }
}

/// <summary>A trial begins.</summary>
/// <param name="Trial">Its number, from 1.</param>
/// <param name="Trials">Trials of the sweep.</param>
/// <param name="Model">Model.</param>
/// <param name="Setting">Short name of the setting.</param>
/// <param name="Samples">Its samples.</param>
/// <param name="SamplesDone">Those that an interrupted run has measured.</param>
public sealed record TrialBegun(int Trial, int Trials, string Model, string Setting, int Samples, int SamplesDone) : SweepEvent
{
    /// <summary>Tokens that its tasks were made to; null where they have lengths of their own.</summary>
    public int? Context { get; init; }
}

/// <summary>A sample was measured.</summary>
/// <param name="Trial">Number of its trial.</param>
/// <param name="Task">Name of its task.</param>
/// <param name="Score">0 to 1.</param>
/// <param name="TrialSamplesDone">Samples of the trial done.</param>
/// <param name="TrialSamples">Samples of the trial.</param>
/// <param name="SamplesDone">Samples of the sweep done.</param>
/// <param name="Samples">Samples of the sweep.</param>
public sealed record SampleMeasured(
    int Trial, string Task, double Score, int TrialSamplesDone, int TrialSamples, long SamplesDone, long Samples) : SweepEvent;

/// <summary>A trial has its result.</summary>
/// <param name="Trial">Its number.</param>
/// <param name="Trials">Trials of the sweep.</param>
/// <param name="Result">The result, good or bad.</param>
/// <param name="SamplesDone">Samples of the sweep done; a failed trial's are all done with.</param>
/// <param name="Samples">Samples of the sweep.</param>
public record TrialEnded(int Trial, int Trials, TrialResult Result, long SamplesDone, long Samples) : SweepEvent
{
    /// <summary>Samples of the trial, measured or not.</summary>
    public int TrialSamples { get; init; }
}

/// <summary>The same of a trial that a search dropped; its result has the reason.</summary>
internal sealed record TrialDropped(int Trial, int Trials, TrialResult Result, long SamplesDone, long Samples)
    : TrialEnded(Trial, Trials, Result, SamplesDone, Samples);

/// <summary>The same of a trial that failed; its result has the reason.</summary>
internal sealed record TrialFailed(int Trial, int Trials, TrialResult Result, long SamplesDone, long Samples)
    : TrialEnded(Trial, Trials, Result, SamplesDone, Samples);

/// <summary>A trial is left to the worker that has it.</summary>
/// <param name="Trial">Its number.</param>
/// <param name="TrialSamples">Samples of the trial.</param>
/// <param name="SamplesDone">Samples of the sweep done or left to others.</param>
/// <param name="Samples">Samples of the sweep.</param>
public sealed record TrialLeft(int Trial, int TrialSamples, long SamplesDone, long Samples) : SweepEvent;

/// <summary>Nothing is left to do but what other workers have; this one takes it over where they die.</summary>
/// <param name="Trials">Trials that others have.</param>
/// <param name="Holder">Who has the first of them, in words.</param>
public sealed record SweepWaiting(int Trials, string Holder) : SweepEvent;

/// <summary>A worker ended that should not have; the others take its trials over.</summary>
/// <param name="ExitCode">What its process returned; null where it could not be started.</param>
/// <param name="Reason">Why, as far as it said.</param>
/// <param name="Others">Workers that go on.</param>
public sealed record WorkerGone(int? ExitCode, string Reason, int Others) : SweepEvent;

/// <summary>Nothing comes after it.</summary>
/// <param name="ExitCode">What the process returns.</param>
/// <param name="Folder">Run folder.</param>
public sealed record SweepEnded(int ExitCode, string Folder) : SweepEvent
{
    /// <summary>Why the sweep stopped; null where it came to its end.</summary>
    public string? Error { get; init; }

    /// <summary>Trials planned, repeats of the baseline included; null, as the next four, where it stopped.</summary>
    public int? Planned { get; init; }

    /// <summary>Trials that have a good result.</summary>
    public int? Finished { get; init; }

    /// <summary>Trials that failed.</summary>
    public int? Failed { get; init; }

    /// <summary>Trials that a search dropped.</summary>
    public int? Dropped { get; init; }

    /// <summary>Trials without a result, as setting and model.</summary>
    public IReadOnlyList<string>? Missing { get; init; }

    /// <summary>What the user should know, one line each.</summary>
    public IReadOnlyList<string> Messages { get; init; } = [];

    /// <summary>Full paths of the files of the report.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];
}
