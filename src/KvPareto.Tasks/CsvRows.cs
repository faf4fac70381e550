using System.Globalization;
using System.Text;
using System.Text.Json;
using CsvHelper;
using CsvHelper.Configuration;
using KvPareto.Engine;
using KvPareto.Text.Input;

namespace KvPareto.Tasks;

/// <summary>
/// Reads tables from outside, row by row: RFC 4180, fields parted by commas, or by semicolons or tabs where the header is. The header names
/// the fields, all of which are texts; a name ending in ".gz" is decompressed on the way.
/// </summary>
internal static class CsvRows
{
    /// <summary>Endings of the names of such files.</summary>
    public static readonly string[] Endings = [".csv", ".csv.gz", ".tsv", ".tsv.gz"];

    private const string Delimiters = ",;\t";
    private const int MaxField = JsonLines.MaxLineBytes; // characters

    /// <summary>The rows that are not blank; each is valid only until the next is asked for.</summary>
    /// <exception cref="ConfigException">The file cannot be read, is not UTF-8, is damaged, or a row has more or fewer fields than the
    /// header.</exception>
    public static IEnumerable<JsonRow> Read(string path)
    {
        var line = 1;
        var form = new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Mode = CsvMode.RFC4180,
            DetectDelimiter = true,
            GetDelimiter = start => Delimiter(start.Text),
            MaxFieldSize = MaxField,
            IgnoreBlankLines = false,
            BadDataFound = _ => throw Damaged(
                path, line, "a quotation mark stands within a field; allowed: fields quoted whole, and marks in them doubled"),
        };
        using var text = new StreamReader(JsonLines.Open(path), ForeignFile.StrictUtf8, detectEncodingFromByteOrderMarks: false);
        using var parser = new CsvParser(text, form);
        string[]? names = null;
        for (; Next(path, line, parser); line = parser.RawRow + 1)
        {
            if (parser.Record is not { } fields || fields is [] or [""]) continue;
            if (names is null)
            {
                names = Header(path, line, fields);
                continue;
            }
            if (fields.Length != names.Length)
                throw Damaged(path, line, $"has {CountText.Of(fields.Length, "field")}; allowed: {names.Length}, as the header has");
            using var row = JsonDocument.Parse(Json(names, fields));
            yield return new JsonRow(path, line, row.RootElement);
        }
    }

    private static bool Next(string path, int line, CsvParser parser)
    {
        try
        {
            return parser.Read();
        }
        catch (DecoderFallbackException)
        {
            throw Damaged(path, line, "is not UTF-8, or a row soon after it");
        }
        catch (Exception error) when (error is IOException or InvalidDataException)
        {
            throw JsonLines.Unreadable(path, error);
        }
        catch (CsvHelperException)
        {
            throw Damaged(path, line, $"has a field of more than {MaxField >> 20} Mi characters, or a quotation mark without its other");
        }
    }

    private static string[] Header(string path, int line, string[] fields)
    {
        string[] names = [.. fields.Select((name, index) => index == 0 ? name.TrimStart('\uFEFF') : name)];
        if (Array.Exists(names, string.IsNullOrWhiteSpace)) throw Damaged(path, line, "a field of the header has no name");
        if (names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } doubled)
            throw Damaged(path, line, $"the header has '{OneLine.Of(doubled.Key)}' twice");
        return names;
    }

    // The mark that stands most often in the header, quoted names aside.
    private static string Delimiter(string start)
    {
        var counts = new int[Delimiters.Length];
        var isQuoted = false;
        foreach (var c in start)
        {
            if (c == '"') isQuoted = !isQuoted;
            if (isQuoted) continue;
            if (c is '\r' or '\n') break;
            if (Delimiters.IndexOf(c, StringComparison.Ordinal) is >= 0 and var which) counts[which]++;
        }
        return Delimiters[Array.IndexOf(counts, counts.Max())].ToString();
    }

    private static ReadOnlyMemory<byte> Json(string[] names, string[] fields)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        for (var i = 0; i < names.Length; i++) writer.WriteString(names[i], fields[i]);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    private static ConfigException Damaged(string path, int line, string problem) => new($"{path}:{line}: {problem}");
}
