using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints;

/// <summary>A whole file mapped read-only; its pages are the system's page cache, not memory of this process's own.</summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private byte* _data;

    /// <summary>Maps <paramref name="path"/>.</summary>
    /// <exception cref="ConfigException">The file is missing, empty or cannot be mapped.</exception>
    public MappedFile(string path)
    {
        var stream = ForeignFile.Open(path);
        ByteCount = stream.Length;
        if (ByteCount == 0)
        {
            stream.Dispose();
            throw new ConfigException($"{path}: is empty");
        }
        try
        {
            _file = MemoryMappedFile.CreateFromFile(
                stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            _view = _file.CreateViewAccessor(0, ByteCount, MemoryMappedFileAccess.Read);
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _data);
            _data += _view.PointerOffset;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Dispose();
            stream.Dispose();
            throw new ConfigException($"{path}: cannot be mapped: {OneLine.Of(error.Message)}", error);
        }
    }

    /// <summary>Size of the file.</summary>
    public long ByteCount { get; }

    /// <summary>First byte.</summary>
    public byte* Data => _data;

    /// <summary>Closed once the file is unmapped.</summary>
    public SafeHandle Handle => _view!.SafeMemoryMappedViewHandle;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_data != null)
        {
            _data = null;
            _view!.SafeMemoryMappedViewHandle.ReleasePointer();
        }
        _view?.Dispose();
        _file?.Dispose();
    }
}
