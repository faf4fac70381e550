namespace KvPareto.Sweep;

/// <summary>What a running sweep tells; see the derived records.</summary>
public abstract record SweepEvent
{
    /// <summary>How long the rest of the sweep will take; null while nothing tells, and of events that change nothing about it.</summary>
    public TimeSpan? Left { get; init; }
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
public sealed record TrialEnded(int Trial, int Trials, TrialResult Result, long SamplesDone, long Samples) : SweepEvent;

/// <summary>A trial is left to the worker that has it.</summary>
/// <param name="Trial">Its number.</param>
/// <param name="SamplesDone">Samples of the sweep done or left to others.</param>
/// <param name="Samples">Samples of the sweep.</param>
public sealed record TrialLeft(int Trial, long SamplesDone, long Samples) : SweepEvent;

/// <summary>Nothing is left to do but what other workers have; this one takes it over where they die.</summary>
/// <param name="Trials">Trials that others have.</param>
/// <param name="Holder">Who has the first of them, in words.</param>
public sealed record SweepWaiting(int Trials, string Holder) : SweepEvent;
