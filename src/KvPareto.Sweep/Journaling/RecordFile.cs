using System.Text.Json;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Journaling;

/// <summary>The records of a file of sealed lines. Lines without a seal, of versions that had none, may only come before all
/// others.</summary>
internal static class RecordFile
{
    /// <summary>A record as it stands in a file.</summary>
    /// <param name="Line">Number of its line, from 1.</param>
    /// <param name="Value">The record.</param>
    /// <param name="IsSealed">Its checksum was there and fits.</param>
    public readonly record struct Entry<T>(int Line, T Value, bool IsSealed);

    /// <summary>The records of a file's lines.</summary>
    /// <param name="path">File.</param>
    /// <param name="lines">Its lines, from where they are to be read.</param>
    /// <param name="subject">What the checksums say the file is of.</param>
    /// <param name="kind">A record in words.</param>
    /// <param name="check">Throws where a record's values cannot be.</param>
    /// <exception cref="ConfigException">A line is damaged; names file and line.</exception>
    public static IEnumerable<Entry<T>> Read<T>(
        string path, IEnumerable<(int Number, ReadOnlyMemory<byte> Bytes)> lines, string subject, string kind, Action<T> check)
    {
        var wasSealed = false;
        foreach (var (number, line) in lines)
        {
            var (value, problem) = TryParse(line.Span, subject, number, ref wasSealed, check);
            if (problem is not null || value is not { } record)
            {
                var isWhole = Seal.Open(line.Span.TrimEnd((byte)'\r'), subject) is { Fits: true } seal && seal.Line == number;
                throw new ConfigException(isWhole ? OfAnotherVersion($"{path}:{number}", kind, problem)
                    : $"{path}:{number}: not {kind} ({problem}); the file is damaged"
                        + "; allowed: lines that a sweep wrote; kvpareto report DIR --repair keeps the lines that are whole");
            }
            yield return new(number, record, wasSealed);
        }
    }

    /// <summary>What is said of a record whose checksum fits, and which this program has no words for.</summary>
    public static string OfAnotherVersion(string place, string kind, string? problem) =>
        $"{place}: not {kind} of this version, {RunHost.ProgramVersion} ({problem}), but whole; allowed: runs of it and of earlier ones";

    /// <summary>One line's record, or what is wrong with it.</summary>
    public static (T? Value, string? Problem) TryParse<T>(
        ReadOnlySpan<byte> line, string subject, int number, ref bool wasSealed, Action<T> check)
    {
        line = line.TrimEnd((byte)'\r'); // of Git's or an editor's making
        var opened = Seal.Open(line, subject);
        if (opened is { Fits: false }) return (default, "its checksum does not fit");
        if (opened is { } seal && seal.Line != number) return (default, $"it is line {seal.Line}: lines are missing, doubled or moved");
        if (opened is null && wasSealed) return (default, "it has no checksum, as the lines before it have");
        wasSealed = opened is not null;
        try
        {
            var value = JournalJson.Read<T>(opened is { } known ? known.Json : line);
            check(value);
            return (value, null);
        }
        catch (Exception e) when (e is JsonException or ConfigException)
        {
            return (default, OneLine.OfMessage(e));
        }
    }
}
