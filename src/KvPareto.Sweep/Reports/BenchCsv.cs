using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;
using KvPareto.Sweep.Latency;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Reports;

/// <summary>The table of <c>kvpareto bench</c>; docs/bench.md has the columns. It reads back, for the figure of times.</summary>
public static class BenchCsv
{
    private const int MostBytes = 64 << 20;
    private const string Sequences = "sequences"; // which tables of earlier versions lack

    private static readonly CsvColumn<BenchRow>[] Columns =
    [
        new("model", row => row.Model) { IsText = true },
        new("device", row => row.Device) { IsText = true },
        new("setting", row => row.Setting) { IsText = true },
        new("depth", row => CsvFormat.Whole(row.Depth)),
        new("prompt", row => CsvFormat.Whole(row.Prompt)),
        new("new_tokens", row => CsvFormat.Whole(row.NewTokens)),
        new(Sequences, row => CsvFormat.Whole(row.Sequences)),
        new("repeats", row => CsvFormat.Whole(row.Repeats)),
        new("total_peak_bytes", row => CsvFormat.Whole(row.PeakBytes)),
        new("load_peak_bytes", row => CsvFormat.Whole(row.LoadBytes)),
        new("ttft_ms", row => CsvFormat.Milliseconds(row.FirstToken?.Median)),
        new("ttft_sd_ms", row => CsvFormat.Milliseconds(row.FirstToken?.Deviation)),
        new("ttft_floor_ms", row => CsvFormat.Milliseconds(row.FirstToken?.Floor)),
        new("prompt_tokens_per_second", row => CsvFormat.Milliseconds(Rate(row.Prompt, row.FirstToken))),
        new("tpot_ms", row => CsvFormat.Milliseconds(row.LaterToken?.Median)),
        new("tpot_sd_ms", row => CsvFormat.Milliseconds(row.LaterToken?.Deviation)),
        new("tpot_floor_ms", row => CsvFormat.Milliseconds(row.LaterToken?.Floor)),
        new("new_tokens_per_second", row => CsvFormat.Milliseconds(Rate(row.Sequences, row.LaterToken))),
    ];

    /// <summary>Headings of all columns.</summary>
    public static IReadOnlyList<string> Headings { get; } = [.. Columns.Select(column => column.Name)];

    /// <summary>A row's cells, empty where there is no value.</summary>
    public static IReadOnlyList<string> Cells(BenchRow row) => [.. Columns.Select(column => column.Cell(row) ?? "")];

    /// <summary>The whole file.</summary>
    public static byte[] Write(IEnumerable<BenchRow> rows) => CsvTable.Write(Columns, rows);

    /// <summary>Tokens a second; null without a time.</summary>
    public static double? Rate(int tokens, RunTime? time) => time is { Median: > 0 } ? 1000 * tokens / time.Median : null;

    /// <summary>Reads a file that <c>kvpareto bench -o csv</c> wrote.</summary>
    /// <exception cref="ConfigException">It is missing, or no such file.</exception>
    public static IReadOnlyList<BenchRow> Read(string file)
    {
        var text = ForeignFile.ReadText(file, MostBytes).TrimStart('\uFEFF');
        using var csv = new CsvReader(new StringReader(text), new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            BadDataFound = null,
            MissingFieldFound = null,
        });
        if (!csv.Read() || !csv.ReadHeader() || Headings.Except(csv.HeaderRecord ?? []).Any(name => name != Sequences))
            throw new ConfigException($"{file}: is no table of kvpareto bench; allowed: what 'kvpareto bench -o csv' writes");
        var rows = new List<BenchRow>();
        while (csv.Read()) rows.Add(Row(file, csv));
        return rows;
    }

    private static BenchRow Row(string file, CsvReader csv)
    {
        return new()
        {
            Model = Text("model"),
            Device = Text("device"),
            Setting = Text("setting"),
            Depth = (int)Whole("depth"),
            Prompt = (int)Whole("prompt"),
            NewTokens = (int)Whole("new_tokens"),
            Sequences = csv.HeaderRecord!.Contains(Sequences) ? (int)Count(Sequences) : 1,
            Repeats = (int)Count("repeats"),
            PeakBytes = Whole("total_peak_bytes"),
            LoadBytes = Whole("load_peak_bytes"),
            FirstToken = Time("ttft"),
            LaterToken = Time("tpot"),
        };

        string Text(string name) => CsvTable.Read(csv.GetField(name) ?? "");

        long Whole(string name) => long.TryParse(csv.GetField(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            && (value <= int.MaxValue || name.EndsWith("bytes", StringComparison.Ordinal)) ? value : throw Wrong(name);

        long Count(string name) => Whole(name) is > 0 and var value ? value : throw Wrong(name, "a number above 0");

        RunTime? Time(string name) => Number($"{name}_ms") is { } median
            ? new(median, Number($"{name}_sd_ms"), Number($"{name}_floor_ms"))
            : null;

        double? Number(string name)
        {
            if (csv.GetField(name) is not { Length: > 0 } cell) return null;
            return double.TryParse(cell, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) ? value
                : throw Wrong(name);
        }

        ConfigException Wrong(string name, string allowed = "a number") =>
            new($"{file}:{csv.Parser.RawRow}: {name} '{csv.GetField(name)}'; allowed: {allowed}");
    }
}
