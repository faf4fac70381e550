using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using KvPareto.Engine.Model;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>Reads a file from some place on, never past its end.</summary>
/// <param name="path">The file, for messages.</param>
/// <param name="file">Its bytes.</param>
/// <param name="position">First byte to read.</param>
internal sealed unsafe class GgufCursor(string path, ModelBytes file, long position)
{
    /// <summary>The next byte's place in the file.</summary>
    public long Position { get; private set; } = position;

    /// <summary>Bytes from here to the end of the file.</summary>
    public long Remaining => file.ByteCount - Position;

    /// <summary>A little-endian number or enum.</summary>
    /// <param name="what">What is being read, for messages: a key or tensor.</param>
    public T Read<T>(string what) where T : unmanaged
    {
        Need(sizeof(T), what);
        var value = MemoryMarshal.Read<T>(file.Window(Position, sizeof(T)));
        Position += sizeof(T);
        return value;
    }

    /// <summary>A string: its length in bytes (u64), then UTF-8.</summary>
    public string ReadString(string what)
    {
        var bytes = file.Window(Position + sizeof(ulong), StringLength(what));
        if (!Utf8.IsValid(bytes)) throw Refuse(what, "is not valid UTF-8");
        Position += sizeof(ulong) + bytes.Length;
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Passes over a string.</summary>
    public void SkipString(string what) => Position += sizeof(ulong) + StringLength(what);

    /// <summary>Passes over <paramref name="count"/> elements of <paramref name="bytes"/> bytes each.</summary>
    public void Skip(long count, int bytes, string what)
    {
        if (count > Remaining / bytes)
            throw Refuse(what, $"counts {CountText.Of(count, "element")}; the file has {CountText.Of(Remaining, "byte")} left");
        Position += count * bytes;
    }

    /// <summary>A count (u64) of things that take at least <paramref name="leastBytes"/> bytes each.</summary>
    public long ReadCount(int leastBytes, string what)
    {
        var count = Read<ulong>(what);
        var most = Remaining / leastBytes;
        return count <= (ulong)most ? (long)count : throw Refuse(what, $"counts {count}; the rest of the file has room for {most}");
    }

    /// <summary>A mistake of the file.</summary>
    public ConfigException Refuse(string what, string problem) => new($"{path}: {what} {problem}");

    private int StringLength(string what)
    {
        Need(sizeof(ulong), what);
        var length = MemoryMarshal.Read<ulong>(file.Window(Position, sizeof(ulong)));
        var most = Math.Min(Remaining - sizeof(ulong), int.MaxValue);
        return length <= (ulong)most ? (int)length
            : throw Refuse(what, $"has a string of {length} bytes; the file has {Remaining - sizeof(ulong)} left");
    }

    private void Need(int bytes, string what)
    {
        if (Remaining < bytes) throw Refuse(what, $"is cut off: {bytes} bytes are needed and the file has {Remaining} left");
    }
}
