using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Metrics.Chinese;

/// <summary>A file of jieba's data, which comes from outside: read up to a limit, and its mistakes named by line.</summary>
/// <param name="Path">As messages name it.</param>
/// <param name="Bytes">The whole file.</param>
internal readonly record struct JiebaFile(string Path, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Largest file that is read: three times jieba's dictionary, twice its larger one.</summary>
    internal const int MaxBytes = 16 << 20;

    /// <summary>Reads a file.</summary>
    /// <exception cref="ConfigException">It cannot be read, or is too large.</exception>
    public static JiebaFile Read(string path) => new(path, ForeignFile.ReadAll(path, MaxBytes));

    /// <summary>The file's text.</summary>
    /// <exception cref="ConfigException">It is not UTF-8.</exception>
    public string Text()
    {
        try
        {
            return ForeignFile.StrictUtf8.GetString(Bytes.Span);
        }
        catch (DecoderFallbackException error)
        {
            throw Error(1 + Bytes.Span[..error.Index].Count((byte)'\n'), "is not UTF-8; allowed: jieba's own file");
        }
    }

    /// <summary>What to throw where a line cannot be used.</summary>
    /// <param name="line">1-based.</param>
    /// <param name="problem">What is wrong, and what is allowed.</param>
    public ConfigException Error(long line, string problem) => new($"{Path}:{line}: {problem}");

    /// <summary>What to throw where the file cannot be used, whatever the line.</summary>
    /// <param name="problem">What is wrong, and what is allowed.</param>
    public ConfigException Error(string problem) => new($"{Path}: {problem}");
}
