using System.Buffers.Binary;
using System.Text;
using KvPareto.Engine.Model;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.SafeTensors;

/// <summary>
/// One safetensors file: 8 bytes header length (little-endian), the JSON header, then the tensors' bytes.
/// </summary>
public sealed class SafeTensorsFile : IDisposable
{
    /// <summary>Longest header that is read: the format's own limit.</summary>
    public const int LargestHeader = 100_000_000;

    private const int LengthBytes = 8;

    private readonly ModelBytes _file;
    private readonly Dictionary<string, HostTensor> _tensors;

    private SafeTensorsFile(ModelBytes file, Dictionary<string, HostTensor> tensors) => (_file, _tensors) = (file, tensors);

    /// <summary>The tensors by name; valid until <see cref="Dispose"/>.</summary>
    public IReadOnlyDictionary<string, HostTensor> Tensors => _tensors;

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="ConfigException">The file is missing, truncated, or its header does not fit the format or the file.</exception>
    public static SafeTensorsFile Open(string path)
    {
        var file = new ModelBytes(path);
        try
        {
            var dataStart = LengthBytes + HeaderLength(path, file);
            var header = new byte[dataStart - LengthBytes];
            file.Read(LengthBytes, header);
            var entries = SafeTensorsHeader.Parse(path, header, file.ByteCount - dataStart);
            var tensors = new Dictionary<string, HostTensor>(entries.Count, StringComparer.Ordinal);
            foreach (var (name, entry) in entries)
                tensors.Add(name, new(path, name, entry.Type, entry.Shape, file, dataStart + entry.Begin, entry.End - entry.Begin));
            return new(file, tensors);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _tensors.Values) tensor.Dispose();
        _file.Dispose();
    }

    private static long HeaderLength(string path, ModelBytes file)
    {
        if (file.ByteCount < LengthBytes)
            throw new ConfigException(
                $"{path}: is {CountText.Of(file.ByteCount, "byte")}; a safetensors file begins with {LengthBytes} of header length");
        var start = file.Window(0, LengthBytes);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(start);
        // A page of a server's, or a link that Git wrote as a text.
        if (length > LargestHeader && Ascii.IsValid(start))
            throw new ConfigException($"{path}: is no safetensors file: it begins with {OneLine.Quote(Encoding.ASCII.GetString(start))}");
        var most = Math.Min(file.ByteCount - LengthBytes, LargestHeader);
        if (length > (ulong)most)
            throw new ConfigException($"{path}: gives its header {length} bytes; allowed: up to {most} (the file has {file.ByteCount})");
        return (long)length;
    }
}
