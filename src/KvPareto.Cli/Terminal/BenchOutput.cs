using System.Globalization;
using KvPareto.Sweep.Latency;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Results;
using KvPareto.Text.Input;
using Spectre.Console;

namespace KvPareto.Cli.Terminal;

/// <summary>A form of <c>kvpareto bench</c>'s output.</summary>
/// <param name="name">What is typed.</param>
/// <param name="write">Writes all rows.</param>
internal sealed class BenchOutput(string name, Action<CommandContext, IReadOnlyList<BenchRow>> write)
{
    private const string Note =
        "tokens of the prompt, @ those before it; milliseconds to the first token and of a later one, medians ± standard deviation; floor: "
        + "the least that bytes over the device's bandwidth and operations over its rate allow, in percent of the time";

    private const string TogetherNote = "; together: sequences whose later tokens are made at once";

    private static readonly BenchOutput[] All = [new("table", Table), new("csv", Csv), new("json", Json), new("md", Markdown)];

    private static readonly FittedTable<BenchRow> Columns = new(
        [
            new("setting", 0, row => row.Setting) { IsText = true },
            new("tokens", 1, row => row.Depth == 0 ? Whole(row.Prompt) : $"{Whole(row.Prompt)} @{Whole(row.Depth)}"),
            new("together", 2, row => row.Sequences == 1 ? "" : Whole(row.Sequences)),
            new("new", 9, row => Whole(row.NewTokens)),
            new("first ms", 3, row => Time(row.FirstToken)),
            new("floor", 5, row => Floor(row.FirstToken)),
            new("later ms", 4, row => Time(row.LaterToken)),
            new("floor", 6, row => Floor(row.LaterToken)),
            new("prompt tokens/s", 10, row => Number(BenchCsv.Rate(row.Prompt, row.FirstToken), 1)),
            new("new tokens/s", 7, row => Number(BenchCsv.Rate(row.Sequences, row.LaterToken), 1)),
            new("peak", 8, row => ByteText.Of(row.PeakBytes)),
        ],
        "-o csv has them");

    /// <summary>Names of all.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(output => output.Name)];

    private string Name { get; } = name;

    /// <summary>The form of a name.</summary>
    /// <exception cref="ConfigException">There is none.</exception>
    public static BenchOutput Of(string name) => Array.Find(All, output => output.Name == name)
        ?? throw new ConfigException($"-o '{name}'; allowed: {string.Join(", ", Names)}");

    /// <summary>A row as it comes, for who waits.</summary>
    public static string Line(BenchRow row)
    {
        var together = row.Sequences > 1 ? $", {Whole(row.Sequences)} together" : "";
        string?[] times =
        [
            row.FirstToken is null ? null : $"first token {Time(row.FirstToken)} ms",
            row.LaterToken is null ? null : $"a token {Time(row.LaterToken)} ms",
        ];
        return $"{row.Setting} depth {Whole(row.Depth)}, prompt {Whole(row.Prompt)}, {Whole(row.NewTokens)} new{together}: "
            + string.Join(", ", times.OfType<string>());
    }

    /// <summary>Writes all rows.</summary>
    public void Write(CommandContext context, IReadOnlyList<BenchRow> rows) => write(context, rows);

    private static void Table(CommandContext context, IReadOnlyList<BenchRow> rows)
    {
        var plain = context.PlainOutput();
        Columns.Write(plain, context.OutputWidth(), rows);
        WrappedText.Write(context, rows.Any(row => row.Sequences > 1) ? Note + TogetherNote : Note);
    }

    private static void Csv(CommandContext context, IReadOnlyList<BenchRow> rows) =>
        context.Output.Write(System.Text.Encoding.UTF8.GetString(BenchCsv.Write(rows)));

    private static void Json(CommandContext context, IReadOnlyList<BenchRow> rows) => context.Output.WriteLine(JsonText.Of(new
    {
        rows = rows.Select(row => new
        {
            model = row.Model,
            device = row.Device,
            setting = row.Setting,
            depth = row.Depth,
            prompt = row.Prompt,
            newTokens = row.NewTokens,
            sequences = row.Sequences,
            repeats = row.Repeats,
            peakBytes = row.PeakBytes,
            loadBytes = row.LoadBytes,
            ttftMs = Of(row.FirstToken),
            tpotMs = Of(row.LaterToken),
        }),
    }));

    private static object? Of(RunTime? time) =>
        time is null ? null : new { median = time.Median, deviation = time.Deviation, floor = time.Floor };

    private static void Markdown(CommandContext context, IReadOnlyList<BenchRow> rows)
    {
        context.Output.WriteLine($"| {string.Join(" | ", BenchCsv.Headings)} |");
        context.Output.WriteLine($"|{string.Concat(BenchCsv.Headings.Select(_ => " --- |"))}");
        foreach (var row in rows)
            context.Output.WriteLine(
                $"| {string.Join(" | ", BenchCsv.Cells(row).Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)))} |");
    }

    private static string Time(RunTime? time) => time is null ? "–"
        : Number(time.Median, Decimals(time.Median))
            + (time.Deviation is { } deviation ? $" ± {Number(deviation, Decimals(time.Median))}" : "");

    private static string Floor(RunTime? time) =>
        time is { Floor: { } floor, Median: > 0 } ? Number(100 * floor / time.Median, 0) + " %" : "";

    private static int Decimals(double value) => value < 10 ? 2 : value < 1000 ? 1 : 0;

    private static string Number(double? value, int decimals) =>
        value?.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) ?? "";

    private static string Whole(int value) => value.ToString(CultureInfo.InvariantCulture);
}
