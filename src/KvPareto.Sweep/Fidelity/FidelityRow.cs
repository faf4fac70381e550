using KvPareto.Engine.Generation;
using KvPareto.Engine.Settings;
using KvPareto.Tasks.Fidelity;

namespace KvPareto.Sweep.Fidelity;

/// <summary>One setting's fidelity on one text: a line of a rows file. docs/fidelity.md tells every field's unit and meaning.</summary>
public sealed record FidelityRow
{
    /// <summary>Name of the model's folder or file, or of the model where it has neither.</summary>
    public required string Model { get; init; }

    /// <summary>File name of the text.</summary>
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

    /// <summary>Sums up the windows of a setting.</summary>
    internal static FidelityRow Of(
        string name, string text, LanguageModel model, InferenceSetting setting, IReadOnlyList<WindowFidelity> windows)
    {
        var figures = WindowFigures.Of(windows);
        var geometry = model.Config.Geometry;
        var tokens = windows.Sum(window => window.Divergences.Count);
        var bytesPerToken = windows.Sum(window => (double)window.CacheBytes) / tokens;
        return new()
        {
            Model = name,
            Text = Path.GetFileName(text),
            Tokens = tokens,
            Window = windows[0].Divergences.Count,
            Setting = setting.Name,
            BitsPerElement = 8 * bytesPerToken / (2.0 * geometry.LayerCount * geometry.KvHeads * geometry.HeadDim),
            BytesPerToken = bytesPerToken,
            WeightBytes = model.WeightBytes,
            Ppl = figures.Ppl,
            ReferencePpl = figures.ReferencePpl,
            KlMean = figures.KlMean,
            KlP50 = figures.KlP50,
            KlP99 = figures.KlP99,
            KlMax = figures.KlMax,
            Top1 = figures.Top1,
            PplSecondHalf = figures.PplSecondHalf,
            KlSecondHalf = figures.KlSecondHalf,
            Seconds = Math.Round(windows.Sum(window => window.Elapsed.TotalSeconds), 3),
        };
    }
}
