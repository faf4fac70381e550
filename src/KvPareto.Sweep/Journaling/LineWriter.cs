using KvPareto.Text.Input;

namespace KvPareto.Sweep.Journaling;

/// <summary>
/// Appends lines to a file; opening it cuts a torn last line. A line that <see cref="Append"/> has returned from outlives this
/// process; one that was made durable outlives the machine.
/// </summary>
internal sealed class LineWriter : IDisposable
{
    private const int BlockBytes = 4096;

    private readonly string _path;
    private readonly FileStream _file;

    private LineWriter(string path, FileStream file)
    {
        (_path, _file) = (path, file);
    }

    /// <summary>Opens <paramref name="path"/>, creating it where it is missing; others may read it meanwhile.</summary>
    /// <exception cref="ConfigException">It cannot be opened.</exception>
    public static LineWriter Open(string path) =>
        TryOpen(path, FileShare.ReadWrite | FileShare.Delete) ?? throw new ConfigException($"{path}: another process holds it");

    /// <summary>The same for this process alone; null where another holds it.</summary>
    /// <exception cref="ConfigException">It cannot be opened for another reason.</exception>
    public static LineWriter? TryOpenAlone(string path) => TryOpen(path, FileShare.None);

    /// <summary>The lines there are. To be read to the end before anything is appended.</summary>
    public IEnumerable<(int Number, ReadOnlyMemory<byte> Bytes)> ReadLines()
    {
        _file.Position = 0;
        return LineReader.Read(_path, _file);
    }

    /// <summary>Writes a line in one piece.</summary>
    /// <param name="line">Without line end, and with none inside.</param>
    /// <param name="durable">Wait until it is on the disk.</param>
    public void Append(ReadOnlySpan<byte> line, bool durable)
    {
        var bytes = new byte[line.Length + 1];
        line.CopyTo(bytes);
        bytes[^1] = (byte)'\n';
        _file.Write(bytes);
        _file.Flush(durable);
    }

    /// <summary>Waits until all lines are on the disk.</summary>
    public void FlushToDisk() => _file.Flush(true);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static LineWriter? TryOpen(string path, FileShare share)
    {
        try
        {
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, share, bufferSize: 1);
            CutTornLine(file);
            return new(path, file);
        }
        catch (IOException e) when (e.GetType() == typeof(IOException) && share == FileShare.None && File.Exists(path))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{path}: cannot be written: {e.Message}", e);
        }
    }

    private static void CutTornLine(FileStream file)
    {
        var block = new byte[BlockBytes];
        var end = file.Length;
        while (end > 0)
        {
            var start = Math.Max(0, end - BlockBytes);
            var count = (int)(end - start);
            file.Position = start;
            file.ReadExactly(block, 0, count);
            var last = block.AsSpan(0, count).LastIndexOf((byte)'\n');
            end = last >= 0 ? start + last + 1 : start;
            if (last >= 0) break;
        }
        if (end < file.Length) file.SetLength(end);
        file.Position = end;
    }
}
