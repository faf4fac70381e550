using System.Security.Cryptography;
using System.Text;
using KvPareto.Engine.Checkpoints;

namespace KvPareto.Cuda;

/// <summary>
/// Compiled kernels in files of the user's cache folder, named by a hash of everything that an image depends on. A file begins with the
/// hash of the rest: one that is damaged is deleted and its kernels are compiled again. Where nothing can be read or written, nothing is
/// kept, and that is all.
/// </summary>
/// <param name="folder">Where files lie.</param>
internal sealed class KernelCache(string folder)
{
    private const string Layout = "1"; // of a file
    private const int HashBytes = SHA256.HashSizeInBytes;

    /// <summary>The user's.</summary>
    public static KernelCache Default { get; } = new(Path.Combine(UserCache.Root(Environment.GetEnvironmentVariable), "kernels"));

    /// <summary>The name of an image made of these texts (sources, options, versions), whose order counts.</summary>
    public static string NameOf(IEnumerable<string> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in parts.Prepend(Layout))
        {
            var bytes = Encoding.UTF8.GetBytes(part);
            hash.AppendData(BitConverter.GetBytes(bytes.LongLength));
            hash.AppendData(bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The image of this name, compiled if no sound file has it.</summary>
    public byte[] Get(string name, Func<byte[]> compile)
    {
        var path = Path.Combine(folder, name + ".cubin");
        if (Read(path) is { } kept) return kept;
        var image = compile();
        Write(path, image);
        return image;
    }

    private static byte[]? Read(string path)
    {
        try
        {
            if (!File.Exists(path)) return null;
            var bytes = File.ReadAllBytes(path);
            if (bytes.Length > HashBytes && SHA256.HashData(bytes.AsSpan(HashBytes)).AsSpan().SequenceEqual(bytes.AsSpan(0, HashBytes)))
                return bytes[HashBytes..];
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
        return null;
    }

    // Whole or not at all: written beside and then renamed, so that processes that compile at the same time do not see each other's halves.
    private static void Write(string path, byte[] image)
    {
        var part = $"{path}.{Environment.ProcessId}-{Guid.NewGuid():N}";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using (var file = new FileStream(part, FileMode.CreateNew, FileAccess.Write))
            {
                file.Write(SHA256.HashData(image));
                file.Write(image);
                file.Flush(flushToDisk: true);
            }
            File.Move(part, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            TryDelete(part);
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
        }
    }
}
