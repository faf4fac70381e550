namespace KvPareto.Sweep.Answers;

/// <summary>What a setting takes at a context.</summary>
/// <param name="Bytes">Inference peak.</param>
/// <param name="LoadBytes">Peak of loading.</param>
/// <param name="Context">Tokens of the prompt.</param>
/// <param name="IsPredicted">True where no prompt of this length was measured.</param>
/// <param name="MeasuredContext">Longest prompt that was measured; null where the run's samples are not there.</param>
/// <param name="Correction">
/// Bytes by which the prediction for the longest measured prompt fell short of what was measured, which the prediction for the context has
/// added to it; 0 where nothing is predicted.
/// </param>
public sealed record ExpectedPeak(long Bytes, long LoadBytes, int? Context, bool IsPredicted, int? MeasuredContext, long Correction)
{
    /// <summary>What must be there: loading is a moment of its own.</summary>
    public long NeededBytes => Math.Max(Bytes, LoadBytes);
}
