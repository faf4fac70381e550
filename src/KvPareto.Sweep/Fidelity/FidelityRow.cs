using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Tasks.Fidelity;
using KvPareto.Tasks.Predictions;

namespace KvPareto.Sweep.Fidelity;

/// <summary>One setting's fidelity on one text. docs/fidelity.md tells every field's unit and meaning.</summary>
public sealed record FidelityRow
{
    /// <summary>The model's name in the sweep.</summary>
    public required string Model { get; init; }

    /// <summary>The task's name in the sweep; where the verb fidelity made it, the file name of the text.</summary>
    public required string Text { get; init; }

    /// <summary>Tokens measured.</summary>
    public required int Tokens { get; init; }

    /// <summary>Tokens of a window.</summary>
    public required int Window { get; init; }

    /// <summary>Short name of the setting.</summary>
    public required string Setting { get; init; }

    /// <summary>Bits of a cached element, scales, zero points, means and 16-bit parts included, at the window's length.</summary>
    public required double BitsPerElement { get; init; }

    /// <summary>Bytes of cache a token, over all layers and heads.</summary>
    public required double BytesPerToken { get; init; }

    /// <summary>Bytes of all weights in memory.</summary>
    public required long WeightBytes { get; init; }

    /// <summary>Perplexity.</summary>
    public required double Ppl { get; init; }

    /// <summary>Perplexity of the unquantized run.</summary>
    public required double ReferencePpl { get; init; }

    /// <summary>Mean KL(reference ‖ setting), in nats.</summary>
    public required double KlMean { get; init; }

    /// <summary>Its median.</summary>
    public required double KlP50 { get; init; }

    /// <summary>Its 99 % quantile.</summary>
    public required double KlP99 { get; init; }

    /// <summary>Its largest value.</summary>
    public required double KlMax { get; init; }

    /// <summary>Share of positions with the same likeliest token, 0 to 1.</summary>
    public required double Top1 { get; init; }

    /// <summary>Perplexity over the predictions made from half a window of tokens or more.</summary>
    public required double PplSecondHalf { get; init; }

    /// <summary>Mean KL over the same positions, in nats.</summary>
    public required double KlSecondHalf { get; init; }

    /// <summary>Time of the setting's forward passes.</summary>
    public required double Seconds { get; init; }

    /// <summary>Sums up the windows of a trial.</summary>
    /// <param name="trial">The trial.</param>
    /// <param name="text">What the windows are of.</param>
    /// <param name="windows">At least one.</param>
    internal static FidelityRow Of(TrialResult trial, string text, IReadOnlyList<SampleRecord> windows)
    {
        FidelityPrediction[] compared = [.. windows.Select(window => (FidelityPrediction)window.Prediction)];
        var figures = WindowFigures.Pooled(compared);
        return new()
        {
            Model = trial.Model,
            Text = text,
            Tokens = windows.Sum(window => window.PromptTokens),
            Window = windows[0].PromptTokens,
            Setting = trial.Setting,
            BitsPerElement = compared.Average(window => window.BitsPerElement),
            BytesPerToken = compared.Average(window => window.BytesPerToken),
            WeightBytes = trial.WeightBytes,
            Ppl = figures.Ppl,
            ReferencePpl = figures.ReferencePpl,
            KlMean = figures.KlMean,
            KlP50 = figures.KlP50,
            KlP99 = figures.KlP99,
            KlMax = figures.KlMax,
            Top1 = figures.Top1,
            PplSecondHalf = figures.PplSecondHalf,
            KlSecondHalf = figures.KlSecondHalf,
            Seconds = Math.Round(windows.Sum(window => window.TtftMs) / 1000, 3),
        };
    }
}
