using KvPareto.Sweep.Journaling;

namespace KvPareto.Sweep.Trials;

/// <summary>What a worker has taken to do.</summary>
/// <param name="Work">What is to be done; of a trial that it helps with, samples of one range.</param>
/// <param name="Log">Where it is written; what others measured is known there.</param>
/// <param name="Shared">What those agree on who share the trial.</param>
/// <param name="IsHelp">Another worker holds the trial.</param>
internal sealed record TrialClaim(TrialWork Work, SampleLog Log, SharedTrial Shared, bool IsHelp);
