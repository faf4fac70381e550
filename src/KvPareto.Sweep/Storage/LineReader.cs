using KvPareto.Text.Input;

namespace KvPareto.Sweep.Storage;

/// <summary>Reads the whole lines of an append-only file; what follows the last line end is a torn write and does not count.</summary>
internal static class LineReader
{
    private const int MaxLineBytes = 64 << 20;
    private const int BlockBytes = 1 << 16;

    /// <summary>The lines of a file that others may be writing to; none where it is missing.</summary>
    /// <exception cref="ConfigException">A line is too long to be one of ours, or the file is no regular one or cannot be read.</exception>
    /// <param name="path">File.</param>
    /// <param name="from">Byte at which a line begins.</param>
    /// <param name="before">Lines before it.</param>
    public static IEnumerable<(int Number, ReadOnlyMemory<byte> Bytes)> Read(string path, long from = 0, int before = 0)
    {
        if (DiskFile.TryOpenRead(path) is not { } handle) yield break;
        using var file = new FileStream(handle, FileAccess.Read, bufferSize: 1);
        file.Position = from;
        foreach (var (number, bytes) in Read(path, file)) yield return (before + number, bytes);
    }

    /// <summary>The lines of an open file from where it stands, without their ends; each is valid until the next is asked for.</summary>
    /// <exception cref="ConfigException">A line is too long to be one of ours.</exception>
    public static IEnumerable<(int Number, ReadOnlyMemory<byte> Bytes)> Read(string path, Stream file)
    {
        var (buffer, filled, number) = (new byte[BlockBytes], 0, 0);
        while (true)
        {
            if (filled == buffer.Length)
            {
                if (filled >= MaxLineBytes)
                    throw new ConfigException($"{path}:{number + 1}: a line of more than {MaxLineBytes} bytes; the file is damaged");
                Array.Resize(ref buffer, buffer.Length * 2);
            }
            var read = file.Read(buffer, filled, buffer.Length - filled);
            if (read == 0) yield break;
            var (start, searched) = (0, filled);
            filled += read;
            while (buffer.AsSpan(searched, filled - searched).IndexOf((byte)'\n') is >= 0 and var length)
            {
                var end = searched + length;
                yield return (++number, buffer.AsMemory(start, end - start));
                start = searched = end + 1;
            }
            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            filled -= start;
        }
    }
}
