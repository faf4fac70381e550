using System.Text;
using System.Text.Json;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Storage;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Fidelity;

/// <summary>
/// Rows as JSON: <c>{"settings":[…]}</c> in one line, or a file of one row a line that several runs append to and that outlives an
/// interruption. Files may be joined one after the other.
/// </summary>
public static class FidelityRows
{
    // Far beyond anything measured, and near enough that a picture can be drawn of it.
    private const double Least = 1e-6;
    private const double Most = 1e18;
    private const double MostBits = 1e6;

    /// <summary>All rows in one line, <c>{"settings":[…]}</c>.</summary>
    public static string ToJson(IReadOnlyList<FidelityRow> rows) => Encoding.UTF8.GetString(JournalJson.WriteLine(new Document(rows)));

    /// <summary>Appends a row to a file, which is made where it is missing, and waits for the disk.</summary>
    /// <exception cref="ConfigException">The file cannot be written.</exception>
    public static void Append(string path, FidelityRow row)
    {
        using var writer = LineWriter.Open(path);
        writer.Append(JournalJson.WriteLine(row), durable: true);
    }

    /// <summary>Refuses a file that could not be appended to, before hours of measuring; makes it where it is missing.</summary>
    /// <exception cref="ConfigException">The file cannot be written.</exception>
    public static void CheckWritable(string path)
    {
        using var writer = LineWriter.Open(path);
    }

    /// <summary>The rows of a file; of a setting that stands several times for one model, text and window, the last.</summary>
    /// <exception cref="ConfigException">The file is missing or empty, or a line is no row.</exception>
    public static IReadOnlyList<FidelityRow> Read(string path)
    {
        if (!File.Exists(path)) throw new ConfigException($"{path}: there is no such file; allowed: what fidelity --rows wrote");
        var rows = new Dictionary<(string, string, int, int, string), FidelityRow>();
        foreach (var (number, line) in LineReader.Read(path))
        {
            var row = Parse(path, number, line.Span);
            rows[(row.Model, row.Text, row.Tokens, row.Window, row.Setting)] = row;
        }
        return rows.Count > 0 ? [.. rows.Values] : throw new ConfigException($"{path}: holds no rows; allowed: what fidelity --rows wrote");
    }

    private static FidelityRow Parse(string path, int number, ReadOnlySpan<byte> line)
    {
        try
        {
            var row = JournalJson.Read<FidelityRow>(line);
            var isInRange =
                row is { Tokens: > 0, Window: > 0, BitsPerElement: >= Least and <= MostBits, BytesPerToken: >= Least and <= Most }
                and { WeightBytes: >= 0, Ppl: >= 1 and <= Most, ReferencePpl: >= 1 and <= Most, PplSecondHalf: >= 1 and <= Most }
                and { KlMean: >= 0 and <= Most, KlP50: >= 0 and <= Most, KlP99: >= 0 and <= Most, KlMax: >= 0 and <= Most }
                and { KlSecondHalf: >= 0 and <= Most, Top1: >= 0 and <= 1, Seconds: >= 0 and <= Most };
            return isInRange ? row : throw new JsonException("a value is out of range");
        }
        catch (JsonException error)
        {
            var reason = error.Message.ReplaceLineEndings(" ");
            throw new ConfigException($"{path}:{number}: no row: {reason}; allowed: what fidelity --rows wrote", error);
        }
    }

    private sealed record Document(IReadOnlyList<FidelityRow> Settings);
}
