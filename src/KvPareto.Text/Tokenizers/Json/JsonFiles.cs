using System.Text.Json;
using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.Json;

/// <summary>The small files of a model folder beside <c>tokenizer.json</c>.</summary>
internal static class JsonFiles
{
    // The published ones, with all their templates and added tokens, stay below one.
    private const int LargestFile = 1 << 23;

    /// <summary>A file's object, or null where there is no such file.</summary>
    /// <exception cref="ConfigException">It is damaged or too large.</exception>
    public static JsonPart? Read(string path)
    {
        if (ReadBytes(path) is not { } bytes) return null;
        try
        {
            using var document = JsonDocument.Parse(bytes.AsMemory(bytes.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0));
            var root = document.RootElement.Clone();
            CheckText(root);
            return root.ValueKind == JsonValueKind.Object ? new JsonPart(path, "", root)
                : throw new ConfigException($"{path}: expected an object");
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            throw new ConfigException($"{path}: not valid JSON: {OneLine.OfMessage(problem)}", problem);
        }
    }

    // Escapes of lone surrogates are well-formed JSON, but no text: reading one as text fails.
    private static void CheckText(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    _ = property.Name;
                    CheckText(property.Value);
                }
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray()) CheckText(item);
                break;
            case JsonValueKind.String:
                _ = element.GetString();
                break;
        }
    }

    /// <summary>A file's bytes, or null where there is no such file.</summary>
    /// <exception cref="ConfigException">It cannot be read or is too large.</exception>
    public static byte[]? ReadBytes(string path) => File.Exists(path) ? ForeignFile.ReadAll(path, LargestFile) : null;

    /// <summary>The text of a special token; null where the value is none.</summary>
    public static string? TokenText(JsonPart value) => value.Value.ValueKind switch
    {
        JsonValueKind.String => value.AsString(),
        JsonValueKind.Object => value.String("content"),
        _ => null,
    };
}
