using System.Globalization;
using KvPareto.Sweep.Fidelity;
using static System.FormattableString;

namespace KvPareto.Cli.Terminal;

/// <summary>Fidelity as a table that grows by a line whenever a setting is done; on a narrow terminal columns are left out.</summary>
internal sealed class FidelityTable
{
    private const int DefaultSettingWidth = 40;
    private const int ChunkWidth = 6;
    private const int Gap = 2;

    private static readonly Column[] All =
    [
        new("bits", 6, 1, row => Fixed(row.BitsPerElement, 3)),
        new("bytes/token", 11, 6, row => Fixed(row.BytesPerToken, 1)),
        new("perplexity", 11, 3, row => Perplexity(row.Ppl)),
        new("KL mean", 10, 2, row => Digits(row.KlMean)),
        new("p50", 10, 8, row => Digits(row.KlP50)),
        new("p99", 10, 5, row => Digits(row.KlP99)),
        new("max", 9, 7, row => Digits(row.KlMax)),
        new("top-1 %", 8, 4, row => Fixed(100 * row.Top1, 3)),
        new("s", 7, 9, row => Fixed(row.Seconds, 1)),
    ];

    private readonly TextWriter _output;
    private readonly int? _width;
    private readonly int _settingWidth;
    private readonly Column[] _shown;
    private string? _heading;

    /// <summary>Chooses the columns.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="width">Columns of the terminal; null where it is none.</param>
    /// <param name="longestSetting">Characters of the longest setting asked for; null for the usual ones.</param>
    public FidelityTable(TextWriter output, int? width, int? longestSetting)
    {
        (_output, _width) = (output, width);
        _settingWidth = width is null ? DefaultSettingWidth : longestSetting + ChunkWidth ?? DefaultSettingWidth - ChunkWidth;
        _shown = All;
        while (width is { } room && _settingWidth + Gap + _shown.Sum(column => column.Width + 1) - 1 > room
            && _shown.MaxBy(column => column.Rank) is { } least)
            _shown = [.. _shown.Where(column => column != least)];
    }

    /// <summary>Writes a row, before the first one of a model what was measured.</summary>
    public void Write(FidelityRow row)
    {
        var heading = TerminalText.OneLine(Invariant($"{row.Model}, {row.Text}: {row.Tokens} tokens in windows of {row.Window}")
            + Invariant($"; perplexity unquantized {Perplexity(row.ReferencePpl)}; KL in nats"));
        if (heading != _heading)
        {
            _output.WriteLine(heading);
            WriteLine("setting", column => column.Name);
            _heading = heading;
        }
        WriteLine(row.Setting, column => column.Cell(row));
    }

    /// <summary>Names the columns left out.</summary>
    public void End()
    {
        var left = All.Except(_shown).Select(column => column.Name).ToList();
        if (left.Count == 0 || _width is not { } width) return;
        var line = $"left out at {width} columns: {string.Join(", ", left)}; fidelity.csv and --json have them";
        foreach (var wrapped in WrappedText.Words(line, width)) _output.WriteLine(wrapped);
    }

    private void WriteLine(string setting, Func<Column, string> cell) =>
        _output.WriteLine(
            setting.PadRight(_settingWidth) + new string(' ', Gap)
                + string.Join(' ', _shown.Select(column => cell(column).PadLeft(column.Width))));

    // Of a setting that destroys a model it has no bound.
    private static string Perplexity(double value) =>
        value < 1e6 ? Fixed(value, 4) : value.ToString("0.0000e+0", CultureInfo.InvariantCulture);

    private static string Fixed(double value, int decimals) =>
        value.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static string Digits(double value) => value.ToString("G4", CultureInfo.InvariantCulture);

    private sealed record Column(string Name, int Width, int Rank, Func<FidelityRow, string> Cell);
}
