using System.Text.Encodings.Web;
using System.Text.Json;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Frontier;

namespace KvPareto.Cli.Terminal;

/// <summary>What <c>--json</c> prints: one line, with characters as they are.</summary>
internal static class JsonText
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The value as JSON.</summary>
    public static string Of<T>(T value) => JsonSerializer.Serialize(value, Plain);

    /// <summary>The two ends of an interval; null where there is none.</summary>
    public static double[]? Ends(ScoreInterval? interval) => interval is { } ends ? [ends.Low, ends.High] : null;

    /// <summary>The keys of <c>peakBytes</c>.</summary>
    /// <param name="peaks">Of a prompt and its new tokens.</param>
    /// <param name="load">Of loading.</param>
    public static object PeakBytes(MemoryPeaks peaks, MemoryUse load) => new
    {
        total = peaks.Inference.Total,
        weights = peaks.Inference.Weights,
        kvCache = peaks.Inference.KvCache,
        activations = peaks.Inference.Activations,
        workspace = peaks.Inference.Workspace,
        load = load.Total,
        prefill = peaks.Prefill.Total,
        decode = peaks.Decode.Total,
    };
}
