using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Engine.Speed;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Latency;

/// <summary>Times settings of a model. Settings that share weights follow each other, so that these are loaded once.</summary>
public static class BenchRunner
{
    /// <summary>Times everything, row by row.</summary>
    /// <param name="backend">Device.</param>
    /// <param name="source">Model.</param>
    /// <param name="request">What is timed.</param>
    /// <param name="rates">The device's, for floors; null for none.</param>
    /// <param name="failed">Told of a setting and lengths for which the device has not enough memory; the others go on.</param>
    /// <param name="cancellation">Checked between tokens.</param>
    /// <exception cref="ConfigException">A setting does not fit the model, or lengths do not.</exception>
    public static IEnumerable<BenchRow> Run(
        Backend backend, ModelSource source, BenchRequest request, DeviceRates? rates, Action<string> failed,
            CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        var cases = request.Cases;
        if (cases.Count == 0)
            throw new ConfigException("bench: nothing to time; allowed: a prompt (-p) or new tokens (-n) after a depth (-d)");
        if (request.Sequences.Max() is var most && most > backend.MostSequences)
            throw new ConfigException($"bench: {most} sequences together on {backend.Name}; allowed: 1 to {backend.MostSequences}");
        foreach (var group in request.Settings.GroupBy(setting => setting.Weights))
        {
            using var model = LanguageModel.Load(backend, source, group.Key);
            InferenceSetting[] settings = [.. group.Select(setting => setting.For(model.Config)).DistinctBy(setting => setting.Name)];
            foreach (var setting in settings) setting.Cache.Validate(model.Config.Geometry);
            foreach (var lengths in cases) SpeedTest.Check(model.Config, lengths);
            foreach (var setting in settings)
            {
                foreach (var lengths in cases)
                {
                    if (Time(model, setting, lengths, request.Repeats, failed, cancellation) is not { } runs) continue;
                    yield return Row(backend, source, model, setting, lengths, runs, rates);
                }
            }
        }
    }

    private static List<SpeedRun>? Time(
        LanguageModel model, InferenceSetting setting, SpeedCase lengths, int repeats, Action<string> failed,
            CancellationToken cancellation)
    {
        var test = new SpeedTest(model.Transformer, setting);
        try
        {
            test.Warm(lengths, cancellation);
            return [.. Enumerable.Range(0, repeats).Select(_ => test.Run(lengths, cancellation))];
        }
        catch (OutOfMemoryException error)
        {
            failed(FormattableString.Invariant(
                $"{setting.Name} at depth {lengths.Depth}, prompt {lengths.Prompt}, sequences {lengths.Sequences}: ") + error.Message);
            return null;
        }
    }

    private static BenchRow Row(
        Backend backend, ModelSource source, LanguageModel model, InferenceSetting setting, SpeedCase lengths, List<SpeedRun> runs,
        DeviceRates? rates)
    {
        var floors = rates is null ? null : SpeedFloors.Of(rates, model.Transformer, setting, lengths);
        var peaks = runs.Select(run => run.Peaks).Aggregate(MemoryPeaks.Max);
        return new()
        {
            Model = source.Name,
            Device = backend.Device,
            Setting = setting.Name,
            Depth = lengths.Depth,
            Prompt = lengths.Prompt,
            NewTokens = lengths.NewTokens,
            Sequences = lengths.Sequences,
            Repeats = runs.Count,
            FirstToken = RunTime.Of(Milliseconds(runs, run => run.FirstToken), floors?.FirstTokenMs),
            LaterToken = RunTime.Of(Milliseconds(runs, run => run.LaterToken), floors?.LaterTokenMs),
            PeakBytes = peaks.Inference.Total,
            LoadBytes = model.LoadPeak.Total,
        };
    }

    private static IEnumerable<double> Milliseconds(List<SpeedRun> runs, Func<SpeedRun, TimeSpan?> time) =>
        runs.Select(time).OfType<TimeSpan>().Select(one => one.TotalMilliseconds);
}
