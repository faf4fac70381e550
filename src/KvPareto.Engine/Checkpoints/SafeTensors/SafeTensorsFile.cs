using System.Buffers.Binary;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.SafeTensors;

/// <summary>
/// One memory-mapped safetensors file: 8 bytes header length (little-endian), the JSON header, then the tensors' bytes.
/// </summary>
public sealed unsafe class SafeTensorsFile : IDisposable
{
    /// <summary>Longest header that is read: the format's own limit.</summary>
    public const int LargestHeader = 100_000_000;

    private const int LengthBytes = 8;

    private readonly MappedFile _file;
    private readonly Dictionary<string, HostTensor> _tensors;

    private SafeTensorsFile(MappedFile file, Dictionary<string, HostTensor> tensors) => (_file, _tensors) = (file, tensors);

    /// <summary>The tensors by name; valid until <see cref="Dispose"/>.</summary>
    public IReadOnlyDictionary<string, HostTensor> Tensors => _tensors;

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="ConfigException">The file is missing, truncated, or its header does not fit the format or the file.</exception>
    public static SafeTensorsFile Open(string path)
    {
        var file = new MappedFile(path);
        try
        {
            var dataStart = LengthBytes + HeaderLength(path, file);
            var header = new ReadOnlySpan<byte>(file.Data + LengthBytes, (int)(dataStart - LengthBytes));
            var entries = SafeTensorsHeader.Parse(path, header, file.ByteCount - dataStart);
            var tensors = new Dictionary<string, HostTensor>(entries.Count, StringComparer.Ordinal);
            foreach (var (name, entry) in entries)
            {
                var data = file.Data + dataStart + entry.Begin;
                tensors.Add(name, new(path, name, entry.Type, entry.Shape, data, entry.End - entry.Begin, file.Handle));
            }
            return new(file, tensors);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static long HeaderLength(string path, MappedFile file)
    {
        if (file.ByteCount < LengthBytes)
            throw new ConfigException($"{path}: is {file.ByteCount} bytes; a safetensors file begins with {LengthBytes} of header length");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(new(file.Data, LengthBytes));
        var most = Math.Min(file.ByteCount - LengthBytes, LargestHeader);
        if (length > (ulong)most)
            throw new ConfigException($"{path}: gives its header {length} bytes; allowed: up to {most} (the file has {file.ByteCount})");
        return (long)length;
    }
}
