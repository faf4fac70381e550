using System.Globalization;
using KvPareto.Sweep.Storage;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Journaling;

/// <summary>Writes a damaged file of records again with the lines that are whole; the damaged one is kept beside it.</summary>
internal static class RecordRepair
{
    private const string KeptSuffix = ".damaged";

    /// <summary>Mends one file.</summary>
    /// <param name="path">File.</param>
    /// <param name="subject">What its checksums say it is of.</param>
    /// <param name="check">Throws where a record's values cannot be.</param>
    /// <param name="unwanted">Why a whole record is to be dropped all the same, or null.</param>
    /// <returns>What was done, one line each; empty where nothing was amiss.</returns>
    /// <exception cref="ConfigException">It is no regular file, or cannot be written.</exception>
    public static IReadOnlyList<string> Mend<T>(string path, string subject, Action<T> check, Func<T, string?> unwanted)
    {
        var (said, plain, closed) = (new List<string>(), new List<byte[]>(), new SortedDictionary<int, byte[]>());
        var inOrder = true;
        foreach (var (number, line) in LineReader.Read(path))
        {
            var opened = Seal.Open(line.Span, subject);
            var isSealed = closed.Count > 0 && opened is null;
            // Each line is judged alone here, by the number in its seal.
            var (record, problem) = RecordFile.TryParse(line.Span, subject, opened?.Line ?? number, ref isSealed, check);
            problem ??= unwanted(record!);
            if (problem is null && opened is { } again && !closed.TryAdd(again.Line, again.Json)) problem = "it stands twice";
            if (problem is not null)
            {
                said.Add(string.Create(CultureInfo.InvariantCulture, $"{path}:{number}: dropped: {problem}"));
                continue;
            }
            if (opened is null) plain.Add(line.ToArray());
            inOrder &= opened is not { } known || (known.Line == number && closed.Keys.Last() == known.Line);
        }
        if (said.Count == 0 && inOrder) return [];
        if (!inOrder) said.Add($"{path}: lines were missing or out of place; those there are stand in their order again");
        said.Add($"{path}: as it was, it is kept as {Keep(path)}");
        AtomicFile.Write(
            path, Lines([.. plain, .. closed.Values.Select((json, index) => Seal.Close(json, subject, plain.Count + index + 1))]));
        return said;
    }

    /// <summary>The name under which a damaged file is kept: that of no file kept before.</summary>
    public static string KeptNameOf(string path)
    {
        var kept = path + KeptSuffix;
        for (var number = 2; Path.Exists(kept); number++)
            kept = string.Create(CultureInfo.InvariantCulture, $"{path}{KeptSuffix}-{number}");
        return kept;
    }

    private static string Keep(string path)
    {
        var kept = KeptNameOf(path);
        using var file = DiskFile.TryOpenRead(path) ?? throw new ConfigException($"{path}: is gone");
        AtomicFile.Write(kept, DiskFile.Bytes(file));
        return kept;
    }

    private static byte[] Lines(IEnumerable<byte[]> lines)
    {
        using var all = new MemoryStream();
        foreach (var line in lines)
        {
            all.Write(line);
            all.WriteByte((byte)'\n');
        }
        return all.ToArray();
    }
}
