using System.Text;
using System.Text.Json;
using KvPareto.Sweep.Storage;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Journaling;

/// <summary><c>run.json</c>: a run's record for people, and once more what is planned. Its last key is the checksum of the rest.</summary>
internal static class RunFile
{
    private const int MaxBytes = 64 << 20;
    private const string Subject = "run";

    /// <summary>Its path in a run folder.</summary>
    public static string PathOf(string folder) => Path.Combine(folder, "run.json");

    /// <summary>Writes it, whole or not at all.</summary>
    public static void Write(string folder, RunRecord run)
    {
        var page = JournalJson.WritePage(run);
        AtomicFile.Write(PathOf(folder), [.. page.AsSpan()[..^TailStart], .. Encoding.ASCII.GetBytes(Tail(Seal.SumOf(page, Subject, 1)))]);
    }

    /// <summary>Reads it; null where there is none.</summary>
    /// <exception cref="ConfigException">It is damaged, or no regular file.</exception>
    public static (RunRecord Run, bool IsSealed)? TryRead(string folder) =>
        TryReadPage(folder) is { } content ? Parse(folder, content) : null;

    /// <summary>Its bytes; null where there is none.</summary>
    /// <exception cref="ConfigException">It is no regular file.</exception>
    public static byte[]? TryReadPage(string folder)
    {
        using var file = DiskFile.TryOpenRead(PathOf(folder));
        return file is null ? null : DiskFile.Bytes(file, MaxBytes);
    }

    /// <summary>The record that such bytes hold.</summary>
    /// <exception cref="ConfigException">They are damaged.</exception>
    public static (RunRecord Run, bool IsSealed) Parse(string folder, byte[] content)
    {
        var path = PathOf(folder);
        var isSealed = false;
        try
        {
            // Line ends of Git's or an editor's making; within a text they are escapes.
            (var page, isSealed) = Open(Array.FindAll(content, value => value != (byte)'\r'));
            var run = JournalJson.Read<RunRecord>(page);
            RunCheck.Check(run);
            return (run, isSealed);
        }
        catch (Exception e) when (e is JsonException or ConfigException)
        {
            throw new ConfigException(isSealed ? RecordFile.OfAnotherVersion(path, "a run's record", OneLine.OfMessage(e))
                : $"{path}: not a run's record ({OneLine.OfMessage(e)}); the file is damaged"
                    + "; allowed: what a sweep wrote; kvpareto report DIR --repair writes it again from the journals", e);
        }
    }

    private static (byte[] Page, bool IsSealed) Open(byte[] content)
    {
        var length = Tail(new string('0', Seal.SumLength)).Length;
        if (content.Length <= length) return (content, false);
        var sum = Encoding.Latin1.GetString(content.AsSpan(content.Length - length)[^(Seal.SumLength + 4)..^4]);
        if (!content.AsSpan()[^length..].SequenceEqual(Encoding.Latin1.GetBytes(Tail(sum)))) return (content, false);
        byte[] page = [.. content.AsSpan()[..^length], .. "\n}\n"u8];
        return sum == Seal.SumOf(page, Subject, 1) ? (page, true) : throw new JsonException("its checksum does not fit");
    }

    private const int TailStart = 3; // "\n}\n"

    private static string Tail(string sum) => $",\n  \"sum\": \"{sum}\"\n}}\n";
}
