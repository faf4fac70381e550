using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>SHA-256 over the files that a model's answers depend on; computed once for each model and process.</summary>
internal static class ModelDigest
{
    private const int BlockBytes = 1 << 20;

    private static readonly ConcurrentDictionary<string, Lazy<string>> Known = new();

    /// <summary>The digest (hex) of a model: name, length and bytes of each of its files, in ordinal order of names.</summary>
    /// <exception cref="ConfigException">A file is missing or cannot be read.</exception>
    public static string Of(ModelSource source)
    {
        var files = source.Files;
        var key = string.Join('\0', files.Select(file => $"{file.Name}\0{Path.GetFullPath(file.Path)}"));
        return Known.GetOrAdd(key, _ => new(() => Compute(source.Model, files))).Value;
    }

    private static string Compute(string model, IReadOnlyList<ModelFile> files)
    {
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var file in files) AppendFile(hash, file);
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{model}: cannot be read: {e.Message}", e);
        }
    }

    private static void AppendFile(IncrementalHash hash, ModelFile source)
    {
        using var file = source.Open();
        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, file.Length);
        hash.AppendData(Encoding.UTF8.GetBytes(source.Name + '\0'));
        hash.AppendData(length);
        var block = new byte[BlockBytes];
        while (file.Read(block) is > 0 and var read) hash.AppendData(block, 0, read);
    }
}
