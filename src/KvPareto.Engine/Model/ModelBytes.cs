using KvPareto.Text.Input;

namespace KvPareto.Engine.Model;

/// <summary>
/// The bytes of a model file, read where they are asked for. The file is never mapped: a mapped one that somebody cuts meanwhile ends the
/// process, and a read one is a message. One thread at a time may use <see cref="Window"/>.
/// </summary>
internal sealed unsafe class ModelBytes : IDisposable
{
    private const int WindowBytes = 1 << 16;
    private const int MostAtOnce = 1 << 30;

    private readonly string _path;
    private readonly FileStream _file;
    private byte[] _window = [];
    private long _windowAt;
    private int _windowLength;

    /// <summary>Opens <paramref name="path"/>.</summary>
    /// <exception cref="ConfigException">The file is missing, empty or cannot be opened.</exception>
    public ModelBytes(string path)
    {
        _path = path;
        _file = ForeignFile.Open(path);
        ByteCount = _file.Length;
        if (ByteCount > 0) return;
        _file.Dispose();
        throw new ConfigException($"{path}: is empty");
    }

    /// <summary>Size of the file when it was opened.</summary>
    public long ByteCount { get; }

    /// <summary>Reads <paramref name="count"/> bytes from <paramref name="offset"/> on.</summary>
    /// <exception cref="ConfigException">The file has become shorter, or cannot be read.</exception>
    public void Read(long offset, byte* destination, long count)
    {
        for (; count > 0; destination += MostAtOnce, offset += MostAtOnce, count -= MostAtOnce)
            Read(offset, new(destination, (int)Math.Min(MostAtOnce, count)));
    }

    /// <inheritdoc cref="Read(long, byte*, long)"/>
    public void Read(long offset, Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            var read = ReadSome(offset, destination);
            if (read == 0)
                throw new ConfigException(
                    $"{_path}: ends at byte {offset}; it had {ByteCount} when it was opened, and was cut while being read");
            offset += read;
            destination = destination[read..];
        }
    }

    /// <summary>Some bytes of the file; valid until the next call.</summary>
    /// <exception cref="ConfigException">As <see cref="Read(long, byte*, long)"/>.</exception>
    public ReadOnlySpan<byte> Window(long offset, int count)
    {
        if (offset < _windowAt || offset + count > _windowAt + _windowLength)
        {
            var length = (int)Math.Min(ByteCount - offset, Math.Max(count, WindowBytes));
            if (_window.Length < length) _window = new byte[length];
            _windowLength = 0;
            Read(offset, _window.AsSpan(0, length));
            (_windowAt, _windowLength) = (offset, length);
        }
        return _window.AsSpan((int)(offset - _windowAt), count);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private int ReadSome(long offset, Span<byte> destination)
    {
        try
        {
            return RandomAccess.Read(_file.SafeFileHandle, destination, offset);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{_path}: cannot be read: {OneLine.OfMessage(error.Message)}", error);
        }
    }
}
