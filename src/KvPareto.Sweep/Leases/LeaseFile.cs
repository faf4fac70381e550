using System.Globalization;
using System.Text.Json;
using KvPareto.Sweep.Storage;

namespace KvPareto.Sweep.Leases;

/// <summary>A lease's file, <c>NAME.GENERATION</c>, as it was read.</summary>
/// <param name="Name">What is leased.</param>
/// <param name="Generation">Grows by one whenever the lease is taken over.</param>
/// <param name="Content">Its bytes.</param>
/// <param name="Holder">Who has it; null where the file does not say.</param>
internal sealed record LeaseFile(string Name, int Generation, byte[] Content, LeaseHolder? Holder)
{
    private const int MaxBytes = 4096;

    /// <summary>A holder in words; null for one that is not known.</summary>
    public static string WordsOf(LeaseHolder? holder) => holder?.ToString() ?? "a process that is not known";

    /// <summary>Reads a file; null where it is gone, or by its name no lease's.</summary>
    /// <exception cref="KvPareto.Text.Input.ConfigException">It is a link, a pipe or a folder.</exception>
    public static LeaseFile? TryRead(string path)
    {
        if (GenerationOf(path) is not { } generation) return null;
        using var file = DiskFile.TryOpenRead(path);
        if (file is null) return null;
        var bytes = new byte[MaxBytes];
        var content = bytes[..RandomAccess.Read(file, bytes, 0)];
        return new(Path.GetFileNameWithoutExtension(path), generation, content, Parse(content));
    }

    /// <summary>The generation that a file's name says; null where it is no lease's.</summary>
    public static int? GenerationOf(string path) =>
        int.TryParse(Path.GetExtension(path).TrimStart('.'), NumberStyles.None, CultureInfo.InvariantCulture, out var generation)
            ? generation : null;

    private static LeaseHolder? Parse(byte[] content)
    {
        try
        {
            return JsonSerializer.Deserialize<LeaseHolder>(content);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
