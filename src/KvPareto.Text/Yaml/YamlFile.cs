using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Text.Yaml;

/// <summary>Reads the text of a YAML file that a user names.</summary>
public static class YamlFile
{
    private const int MaxFileBytes = 1 << 20;

    /// <summary>The text, without a byte order mark.</summary>
    /// <param name="file">Path; messages name it as given.</param>
    /// <exception cref="ConfigException">There is no such file, it is too large, not UTF-8 or cannot be read.</exception>
    public static string ReadText(string file)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(ForeignFile.ReadAll(file, MaxFileBytes))
                .TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException e)
        {
            throw new ConfigException($"{file}: not UTF-8 text", e);
        }
    }
}
