using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Results;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Answers.Objectives;

/// <summary>Something that a setting is wanted to have little or much of.</summary>
internal sealed record Objective
{
    private const double Room = 1.05;

    /// <summary>What a user writes.</summary>
    public required string Name { get; init; }

    /// <summary>Heading in tables.</summary>
    public required string Heading { get; init; }

    /// <summary>Column of CSV files and key of JSON, with the unit.</summary>
    public required string Column { get; init; }

    /// <summary>Whether more is better.</summary>
    public bool Maximise { get; init; }

    /// <summary>Its value of a trial; null where it was not measured.</summary>
    public required Func<TrialResult, double?> Value { get; init; }

    /// <summary>A value as a cell of a CSV file.</summary>
    public required Func<double, string?> Cell { get; init; }

    /// <summary>A value for people.</summary>
    public required Func<double, string> Text { get; init; }

    /// <summary>The axis of a picture over values, at least one.</summary>
    public required Func<IReadOnlyList<double>, Axis> Axis { get; init; }

    /// <summary>The best value there can be: 0, or a score of 100.</summary>
    public double Ideal => Maximise ? 100 : 0;

    /// <summary>The worst corner of the hypervolume's box: 0 for what is maximised, else the largest value and a twentieth of it.</summary>
    public double Reference(IEnumerable<double> values) => Maximise ? 0 : Room * Math.Max(values.Max(), double.Epsilon);
}

/// <summary>The objectives that there are: the one place that lists them.</summary>
internal static class ObjectiveCatalog
{
    /// <summary>What is minimised and maximised where nothing else is asked for.</summary>
    public const string Default = "memory,score";

    /// <summary>The name of the one that samples vary.</summary>
    public const string Score = "score";

    private const int Fewest = 2;

    /// <summary>All.</summary>
    public static IReadOnlyList<Objective> All { get; } =
    [
        Bytes("memory", "peak", "total_peak_bytes", "Total peak memory", trial => trial.Peaks.Inference.Total),
        new()
        {
            Name = Score,
            Heading = "score",
            Column = "score",
            Maximise = true,
            Value = trial => trial.Score is { } score ? PairedBootstrap.Comparable(score) : null,
            Cell = value => CsvFormat.Points(value),
            Text = value => Number(value, "F2"),
            Axis = values => Axis.Score(values.Min(), values.Max()),
        },
        Time("ttft", "first token", "ttft_ms", "Time to the first token (ms)", trial => trial.TtftMs),
        Time("tpot", "later token", "tpot_ms", "Time of a later token (ms)", trial => trial.TpotMs),
        Bytes("cache", "KV cache", "peak_kv_cache_bytes", "KV cache at the peak", trial => trial.Peaks.Inference.KvCache),
        Bytes("load", "load peak", "load_peak_bytes", "Peak while loading", trial => trial.Peaks.Load.Total),
        Bytes("prefill", "prefill", "prefill_peak_bytes", "Peak of prefill", trial => trial.Peaks.Prefill.Total),
        Bytes("decode", "decode", "decode_peak_bytes", "Peak of decoding", trial => trial.Peaks.Decode.Total),
    ];

    /// <summary>Names of all, for messages and help.</summary>
    public static string Words { get; } = string.Join(", ", All.Select(objective => objective.Name));

    /// <summary>Reads <c>memory,score,tpot</c>.</summary>
    /// <exception cref="ConfigException">A name is none, stands twice, or there are fewer than two.</exception>
    public static IReadOnlyList<Objective> Parse(string option, string text)
    {
        string[] names = [.. text.Split(',', StringSplitOptions.TrimEntries)];
        Objective[] chosen = [.. names.Select(name => All.FirstOrDefault(objective => objective.Name == name)
            ?? throw new ConfigException($"{option} '{name}'; allowed: {Words}, joined by commas"))];
        if (names.Distinct().Count() < names.Length || names.Length < Fewest)
            throw new ConfigException($"{option} '{text}'; allowed: at least {Fewest} of {Words}, each once");
        return chosen;
    }

    private static Objective Bytes(string name, string heading, string column, string title, Func<TrialResult, long> value) => new()
    {
        Name = name,
        Heading = heading,
        Column = column,
        Value = trial => value(trial) is > 0 and var bytes ? bytes : null,
        Cell = bytes => CsvFormat.Whole((long)bytes),
        Text = bytes => ByteText.Of((long)bytes),
        Axis = values => Axis.Memory([.. values.Select(bytes => (long)bytes)], title),
    };

    private static Objective Time(string name, string heading, string column, string title, Func<TrialResult, double?> value) => new()
    {
        Name = name,
        Heading = heading,
        Column = column,
        Value = trial => value(trial) is > 0 and var time ? time : null,
        Cell = time => CsvFormat.Milliseconds(time),
        Text = time => Number(time, time < 10 ? "F2" : time < 100 ? "F1" : "F0") + " ms",
        Axis = values => Axis.Logarithmic(values.Min(), values.Max(), title),
    };

    private static string Number(double value, string format) => value.ToString(format, System.Globalization.CultureInfo.InvariantCulture);
}
