using KvPareto.Engine.Memory;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Answers;

/// <summary>
/// Peaks of one model's settings at other contexts than those that were measured. What <see cref="MemoryModel"/> says of shapes is
/// corrected by how far it was off where the setting was measured: bytes that do not depend on the context, such as those of weights in a
/// format that shapes do not tell or of a library's own, are then right.
/// </summary>
/// <param name="layout">Sizes of the allocations of the backend that measured.</param>
/// <param name="shapes">The model's shapes.</param>
internal sealed class PeakForecast(MemoryLayout layout, Checkpoint shapes)
{
    /// <summary>Share of a context within which a measured prompt counts as one of that length: task prompts are cut to fit.</summary>
    private const double SameLength = 0.02;

    private readonly MemoryModel _model = new(layout, shapes);

    /// <summary>Longest prompt among samples, and the new tokens of that sample; null of none.</summary>
    public static (int Prompt, int New)? Longest(IReadOnlyCollection<SampleRecord> samples) => samples.Count == 0
        ? null
        : samples.Select(sample => (Prompt: sample.PromptTokens, New: Math.Max(1, sample.NewTokens)))
            .MaxBy(sample => sample.Prompt + sample.New);

    /// <summary>True where prompts of a length were measured that count as the context asked for.</summary>
    public static bool IsMeasured(int context, (int Prompt, int New) longest) => Math.Abs(longest.Prompt - context) <= SameLength * context;

    /// <summary>The peak at a context.</summary>
    /// <param name="trial">The setting as measured.</param>
    /// <param name="longest">As <see cref="Longest"/> gives it.</param>
    /// <param name="context">Tokens of the prompt.</param>
    /// <param name="newTokens">Tokens generated.</param>
    /// <exception cref="ConfigException">The setting does not fit the shapes.</exception>
    public ExpectedPeak At(TrialResult trial, (int Prompt, int New) longest, int context, int newTokens)
    {
        var setting = InferenceSetting.Parse(trial.Setting);
        // The shapes are those of the model as it is stored; how a variant has coded its weights is in the correction.
        setting = setting with { Weights = setting.Weights.Form is null ? setting.Weights : WeightSpec.Full };
        var measured = _model.Predict(setting, longest.Prompt, longest.New);
        var correction = trial.Peaks.Inference.Total - measured.Inference.Total;
        var there = _model.Predict(setting, context, newTokens).Inference.Total + correction;
        return new(there, trial.Peaks.Load.Total, context, IsPredicted: true, longest.Prompt, correction);
    }

    /// <summary>The longest context whose peak is within a budget, up to the model's positions; 0 where none is.</summary>
    public int LongestWithin(TrialResult trial, (int Prompt, int New) longest, long budget, int newTokens)
    {
        var (fits, tooLong) = (0, Math.Min(shapes.Config.MaxPositions, MemoryModel.MostTokens) - newTokens + 1);
        while (tooLong - fits > 1)
        {
            var middle = fits + (tooLong - fits) / 2;
            if (At(trial, longest, middle, newTokens).NeededBytes <= budget) fits = middle;
            else tooLong = middle;
        }
        return fits;
    }
}
