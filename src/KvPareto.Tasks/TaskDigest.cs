using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace KvPareto.Tasks;

/// <summary>SHA-256 over a sequence of texts and numbers, each written with its length, so that no two sequences run together.</summary>
public sealed class TaskDigest : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Adds a text; null differs from empty.</summary>
    public TaskDigest Add(string? text)
    {
        if (text is null) return Add(-1);
        var bytes = Encoding.UTF8.GetBytes(text);
        Add(bytes.Length);
        _hash.AppendData(bytes);
        return this;
    }

    /// <summary>Adds a list of texts; null differs from empty.</summary>
    public TaskDigest Add(IReadOnlyCollection<string>? texts)
    {
        Add(texts?.Count ?? -1);
        foreach (var text in texts ?? []) Add(text);
        return this;
    }

    /// <summary>Adds a number.</summary>
    public TaskDigest Add(long number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        _hash.AppendData(bytes);
        return this;
    }

    /// <summary>The digest of what was added, in lower-case hex.</summary>
    public string Finish() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();
}
