using System.Diagnostics;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Fidelity;

/// <summary>Measures settings of one loaded model against a reference, window by window.</summary>
/// <param name="transformer">The model at the settings' weight precision.</param>
/// <param name="reference">The same model's unquantized run.</param>
/// <param name="threads">Threads that compare distributions; null for one a processor. Results do not depend on it.</param>
public sealed class FidelityMeter(Transformer transformer, FidelityReference reference, int? threads = null)
{
    private readonly ParallelOptions _parallel = new() { MaxDegreeOfParallelism = threads ?? Environment.ProcessorCount };

    /// <summary>
    /// Feeds a window from an empty cache, in the setting's chunks, and compares the distributions after each of its last tokens with the
    /// reference's. The forward passes come first and alone, so that their memory is the setting's.
    /// </summary>
    /// <param name="setting">Its weights are those of the model.</param>
    /// <param name="window">Index of the window.</param>
    /// <param name="tokens">Last tokens that are compared; null for all.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <exception cref="ConfigException">The setting does not fit the model.</exception>
    /// <exception cref="NotFiniteNumberException">A logit is not finite.</exception>
    public WindowFidelity Measure(InferenceSetting setting, int window, int? tokens = null, CancellationToken cancellation = default)
    {
        var ids = reference.Windows[window];
        var states = new Generator(transformer, setting).Feed(ids, cancellation);
        var begun = Stopwatch.GetTimestamp();
        var rows = Compare(reference.States(window), states, ids, Math.Max(0, ids.Length - (tokens ?? ids.Length)), cancellation);
        if (!rows.All(row => double.IsFinite(row.Divergence))) throw Generator.NotFinite(setting);
        return new()
        {
            Tokens = ids.Length,
            Divergences = Array.ConvertAll(rows, row => row.Divergence),
            SameTop = rows.Count(row => row.SameTop),
            Surprises = [.. rows.SkipLast(1).Select(row => row.Surprise)],
            ReferenceSurprises = [.. rows.SkipLast(1).Select(row => row.ReferenceSurprise)],
            CacheBytes = states.CacheBytes,
            Elapsed = states.Elapsed,
            ComparedIn = Stopwatch.GetElapsedTime(begun),
            Peaks = states.Peaks,
        };
    }

    private RowComparison[] Compare(TextStates expected, TextStates actual, int[] ids, int start, CancellationToken cancellation)
    {
        var backend = transformer.Backend;
        backend.Memory.Enter(MemoryPhase.Measuring);
        using var referenceHead = reference.Head(transformer);
        using var expectedLogits = new LogitReader(backend, transformer.Config, referenceHead);
        using var actualLogits = new LogitReader(backend, transformer.Config, transformer.Head);
        var (rows, width) = (new RowComparison[ids.Length - start], actualLogits.Width);
        for (var first = start; first < ids.Length; first += LogitReader.MaxRows)
        {
            cancellation.ThrowIfCancellationRequested();
            var (from, count) = (first, Math.Min(LogitReader.MaxRows, ids.Length - first));
            var (a, b) = (expectedLogits.Read(expected, from, count), actualLogits.Read(actual, from, count));
            Parallel.For(0, count, _parallel, row =>
            {
                var next = from + row + 1 < ids.Length ? ids[from + row + 1] : RowComparison.NoNext;
                rows[from - start + row] = RowComparison.Of(a.Span.Slice(row * width, width), b.Span.Slice(row * width, width), next);
            });
        }
        return rows;
    }
}
