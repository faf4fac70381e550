using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Speed;

/// <summary>One timed run.</summary>
/// <param name="FirstToken">Prompt in to first token out, of one sequence; null without a prompt.</param>
/// <param name="LaterToken">Mean of each later token, of all sequences at once; null where there was none.</param>
/// <param name="Peaks">High-water marks of prefill and decoding, of all sequences.</param>
public sealed record SpeedRun(TimeSpan? FirstToken, TimeSpan? LaterToken, MemoryPeaks Peaks);
