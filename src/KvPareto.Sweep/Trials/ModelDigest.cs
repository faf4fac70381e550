using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using KvPareto.Engine;

namespace KvPareto.Sweep.Trials;

/// <summary>SHA-256 over the files of a model folder that its answers depend on; computed once for each folder and process.</summary>
internal static class ModelDigest
{
    private const int BlockBytes = 1 << 20;

    private static readonly string[] Required = ["config.json", "tokenizer.json"];
    private static readonly string[] Optional =
        ["chat_template.jinja", "generation_config.json", "model.safetensors.index.json", "tokenizer_config.json"];
    private static readonly ConcurrentDictionary<string, Lazy<string>> Known = new();

    /// <summary>The digest (hex) of a Hugging Face folder: name, length and bytes of each file, in ordinal order of names.</summary>
    /// <exception cref="ConfigException">A file is missing or cannot be read.</exception>
    public static string Of(string folder)
    {
        var path = Path.GetFullPath(folder);
        return Known.GetOrAdd(path, static path => new(() => Compute(path))).Value;
    }

    private static string Compute(string folder)
    {
        if (!Directory.Exists(folder))
            throw new ConfigException($"{folder}: there is no such folder; allowed: a Hugging Face model folder");
        foreach (var name in Required)
            if (!File.Exists(Path.Combine(folder, name)))
                throw new ConfigException($"{folder}: {name} is missing"
                    + "; allowed: a Hugging Face model folder with config.json, tokenizer.json and *.safetensors");
        string[] weights = [.. Directory.GetFiles(folder, "*.safetensors").Select(file => Path.GetFileName(file))];
        if (weights.Length == 0)
            throw new ConfigException($"{folder}: no *.safetensors file; allowed: a Hugging Face model folder with its weights");

        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var present = Optional.Where(name => File.Exists(Path.Combine(folder, name)));
            foreach (var name in Required.Concat(present).Concat(weights).Order(StringComparer.Ordinal)) AppendFile(hash, folder, name);
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{folder}: cannot be read: {e.Message}", e);
        }
    }

    private static void AppendFile(IncrementalHash hash, string folder, string name)
    {
        using var file = new FileStream(Path.Combine(folder, name), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, file.Length);
        hash.AppendData(Encoding.UTF8.GetBytes(name + '\0'));
        hash.AppendData(length);
        var block = new byte[BlockBytes];
        while (file.Read(block) is > 0 and var read) hash.AppendData(block, 0, read);
    }
}
