using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Tasks;

/// <summary>Reads the background text of a needle test.</summary>
internal static class Haystack
{
    /// <summary>
    /// The text of a file, or of all <c>*.txt</c> files of a folder in ordinal order of their names with nothing between them.
    /// </summary>
    /// <param name="path">Text file or folder; UTF-8.</param>
    /// <param name="maxCharacters">Reading stops here (UTF-16 units); never within a surrogate pair.</param>
    /// <param name="key">Task and key that name it, for messages.</param>
    /// <exception cref="ConfigException">Nothing there, not readable, not UTF-8, or no text.</exception>
    public static string Read(string path, int maxCharacters = int.MaxValue, string key = "task niah: key 'folder'")
    {
        var text = new StringBuilder();
        foreach (var file in Files(path, key))
        {
            if (text.Length >= maxCharacters) break;
            Append(text, file, maxCharacters, key);
        }
        if (text.Length > 0 && text.Length >= maxCharacters && char.IsHighSurrogate(text[^1])) text.Length--;
        return text.Length > 0 ? text.ToString() : throw new ConfigException($"{key}: {path} holds no text");
    }

    private static List<string> Files(string path, string key)
    {
        if (File.Exists(path)) return [path];
        if (!Directory.Exists(path)) throw new ConfigException($"{key}: {path} is neither a folder nor a text file");
        try
        {
            var files = Directory.GetFiles(path).Where(file => file.EndsWith(".txt", StringComparison.Ordinal)).ToList();
            files.Sort((left, right) => string.CompareOrdinal(Path.GetFileName(left), Path.GetFileName(right)));
            return files.Count > 0 ? files : throw new ConfigException($"{key}: {path} holds no .txt file");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, key, error);
        }
    }

    private static void Append(StringBuilder text, string file, int maxCharacters, string key)
    {
        try
        {
            using var reader = new StreamReader(ForeignFile.OpenOnce(file), ForeignFile.StrictUtf8);
            var buffer = new char[1 << 14];
            while (reader.Read(buffer, 0, Math.Min(buffer.Length, maxCharacters - text.Length)) is > 0 and var count)
                text.Append(buffer, 0, count);
        }
        catch (DecoderFallbackException error)
        {
            throw new ConfigException($"{key}: {file}: not valid UTF-8", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(file, key, error);
        }
    }

    private static ConfigException Unreadable(string path, string key, Exception error) =>
        new($"{key}: {path}: cannot be read: {OneLine.OfMessage(error.Message)}", error);
}
