using Microsoft.Win32.SafeHandles;

namespace KvPareto.Sweep.Storage;

/// <summary>
/// Appends lines to a file, each in one write. A line that <see cref="Append"/> has returned from outlives this process; one that was
/// made durable outlives the machine.
/// </summary>
internal sealed class LineWriter : IDisposable
{
    private const int BlockBytes = 1 << 16;

    private readonly string _path;
    private readonly SafeFileHandle _file;

    private LineWriter(string path, SafeFileHandle file)
    {
        (_path, _file) = (path, file);
    }

    /// <summary>
    /// Puts a new file with the whole lines of the old one in the old one's place. A worker that lost the file to this one and does
    /// not know it yet goes on writing to the old one, which nobody reads any more.
    /// </summary>
    /// <exception cref="KvPareto.Text.Input.ConfigException">It is no regular file, or cannot be read or made.</exception>
    /// <exception cref="IOException">The disk is full or fails; the old file is as it was.</exception>
    public static LineWriter TakeOver(string path) => Replace(path, (file, draft) =>
    {
        using var old = DiskFile.TryOpenRead(path);
        if (old is not null) Copy(old, file, draft);
    });

    /// <summary>Puts a new file with these lines in the old one's place, in the same way.</summary>
    /// <param name="path">File.</param>
    /// <param name="lines">Without line ends, and with none inside.</param>
    /// <exception cref="KvPareto.Text.Input.ConfigException">It is no regular file, or cannot be made.</exception>
    /// <exception cref="IOException">The disk is full or fails; the old file is as it was.</exception>
    public static LineWriter WriteAnew(string path, IEnumerable<byte[]> lines) => Replace(path, (file, draft) =>
    {
        foreach (var line in lines) DiskFile.Write(file, draft, [.. line, (byte)'\n']);
    });

    /// <summary>The lines there are. To be read to the end before anything is appended.</summary>
    public IEnumerable<(int Number, ReadOnlyMemory<byte> Bytes)> ReadLines()
    {
        using var stream =
            new FileStream(new SafeFileHandle(_file.DangerousGetHandle(), ownsHandle: false), FileAccess.Read, bufferSize: 1);
        stream.Position = 0;
        foreach (var line in LineReader.Read(_path, stream)) yield return line;
    }

    /// <summary>Writes a line in one piece.</summary>
    /// <param name="line">Without line end, and with none inside.</param>
    /// <param name="durable">Wait until it is on the disk.</param>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    public void Append(ReadOnlySpan<byte> line, bool durable)
    {
        var bytes = new byte[line.Length + 1];
        line.CopyTo(bytes);
        bytes[^1] = (byte)'\n';
        DiskFile.Write(_file, _path, bytes);
        if (durable) Flush();
    }

    /// <summary>Whether the path still names this file, as its length tells, which nobody else changes.</summary>
    public bool IsInPlace => new FileInfo(_path) is { Exists: true, Length: var length } && length == RandomAccess.GetLength(_file);

    /// <summary>Waits until all lines are on the disk.</summary>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    public void Flush() => DiskFile.Flush(_file, _path);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static LineWriter Replace(string path, Action<SafeFileHandle, string> fill)
    {
        var draft = AtomicFile.DraftOf(path);
        var file = DiskFile.TryCreate(draft, append: true) ?? throw new IOException($"{path}: cannot be written: its folder is gone");
        try
        {
            fill(file, draft);
            DiskFile.Flush(file, draft);
            DiskFile.Replace(draft, path);
            return new(path, file);
        }
        catch
        {
            file.Dispose();
            File.Delete(draft);
            throw;
        }
    }

    private static void Copy(SafeFileHandle from, SafeFileHandle to, string path)
    {
        var (block, end) = (new byte[BlockBytes], EndOfLines(from));
        for (long at = 0; at < end;)
        {
            var count = RandomAccess.Read(from, block.AsSpan(0, (int)Math.Min(BlockBytes, end - at)), at);
            if (count == 0) break;
            DiskFile.Write(to, path, block.AsSpan(0, count));
            at += count;
        }
    }

    // Where the last whole line ends.
    private static long EndOfLines(SafeFileHandle file)
    {
        var block = new byte[BlockBytes];
        var end = RandomAccess.GetLength(file);
        while (end > 0)
        {
            var start = Math.Max(0, end - BlockBytes);
            var count = RandomAccess.Read(file, block.AsSpan(0, (int)(end - start)), start);
            var last = block.AsSpan(0, count).LastIndexOf((byte)'\n');
            if (last >= 0) return start + last + 1;
            end = start;
        }
        return 0;
    }
}
