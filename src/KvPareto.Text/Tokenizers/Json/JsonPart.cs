using System.Text.Json;
using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.Json;

/// <summary>A JSON value with its place, so that every complaint about it names file and path.</summary>
/// <param name="File">File name for messages.</param>
/// <param name="Path">Keys from the top, for example <c>pre_tokenizer.pretokenizers[0]</c>.</param>
/// <param name="Value">The value.</param>
internal readonly record struct JsonPart(string File, string Path, JsonElement Value)
{
    /// <summary>The value of the key <c>type</c>.</summary>
    public string Type => String("type");

    /// <summary>A one-line complaint about this value.</summary>
    public ConfigException Error(string problem) => new($"{File}: {(Path.Length == 0 ? "top level" : Path)}: {problem}");

    /// <summary>The complaint about a value that is none of those known.</summary>
    public ConfigException Unknown(string what, string value, params ReadOnlySpan<string> known) =>
        Error($"{what} {OneLine.Quote(value)} is not known; known: {string.Join(", ", known)}");

    /// <summary>The value of a key, or null where it is absent or null.</summary>
    public JsonPart? Child(string key)
    {
        if (Value.ValueKind != JsonValueKind.Object) throw Error($"expected an object, found {Value.ValueKind}");
        return Value.TryGetProperty(key, out var child) && child.ValueKind != JsonValueKind.Null
            ? new(File, Path.Length == 0 ? key : $"{Path}.{key}", child) : null;
    }

    /// <summary>The value of a key that must be there.</summary>
    public JsonPart Required(string key) => Child(key) ?? throw Error($"the key '{key}' is missing");

    /// <summary>The elements of an array.</summary>
    public IEnumerable<JsonPart> Items()
    {
        if (Value.ValueKind != JsonValueKind.Array) throw Error($"expected an array, found {Value.ValueKind}");
        var (file, path, index) = (File, Path, 0);
        foreach (var item in Value.EnumerateArray()) yield return new(file, $"{path}[{index++}]", item);
    }

    /// <summary>This value as a string.</summary>
    public string AsString()
    {
        if (Value.ValueKind != JsonValueKind.String) throw Error($"expected a string, found {Value.ValueKind}");
        try
        {
            return Value.GetString()!;
        }
        catch (InvalidOperationException problem)
        {
            throw new ConfigException($"{File}: {Path}: not valid Unicode", problem);
        }
    }

    /// <summary>This value as a whole number.</summary>
    public int AsInt() =>
        Value.ValueKind == JsonValueKind.Number && Value.TryGetInt32(out var number) ? number : throw Error("expected a whole number");

    /// <summary>A string that must be there.</summary>
    public string String(string key) => Required(key).AsString();

    /// <summary>A string, or the default where it is absent or null.</summary>
    public string String(string key, string absent) => Child(key)?.AsString() ?? absent;

    /// <summary>A boolean, or the default where it is absent or null.</summary>
    public bool Bool(string key, bool absent)
    {
        if (Child(key) is not { } child) return absent;
        return child.Value.ValueKind is JsonValueKind.True or JsonValueKind.False ? child.Value.GetBoolean()
            : throw child.Error($"expected true or false, found {child.Value.ValueKind}");
    }
}
