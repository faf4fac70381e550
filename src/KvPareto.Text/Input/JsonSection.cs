using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace KvPareto.Text.Input;

/// <summary>One object of a JSON file. Its getters name file, key and what is allowed when a value is not what they need.</summary>
internal sealed class JsonSection
{
    private const int LargestFile = 64 << 20;
    private const int DeepestNesting = 32;

    private readonly JsonElement _object;
    private readonly string _prefix;

    private JsonSection(string file, JsonElement element, string prefix) => (File, _object, _prefix) = (file, element, prefix);

    /// <summary>The file it was read from.</summary>
    public string File { get; }

    /// <summary>Reads a file whose top level is an object.</summary>
    /// <exception cref="ConfigException">The file is missing, too large, not JSON, has a key twice, or is no object.</exception>
    public static JsonSection Read(string file) => Of(file, ForeignFile.ReadAll(file, LargestFile));

    /// <summary>Reads what a file, or a part of it, holds.</summary>
    /// <param name="file">The file, for messages.</param>
    /// <param name="bytes">Its text.</param>
    /// <exception cref="ConfigException">It is not JSON, has a key twice, or is no object.</exception>
    public static JsonSection Of(string file, ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith("\uFEFF"u8)) bytes = bytes[3..];
        if (!Utf8.IsValid(bytes)) throw new ConfigException($"{file}: is not valid UTF-8");
        try
        {
            var root = JsonElement.Parse(bytes, new JsonDocumentOptions { MaxDepth = DeepestNesting, AllowDuplicateProperties = false });
            return root.ValueKind == JsonValueKind.Object
                ? new(file, root, "")
                : throw new ConfigException($"{file}: is a JSON {root.ValueKind.ToString().ToLowerInvariant()}; allowed: an object");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new ConfigException($"{file}: is not valid JSON: {OneLine.OfMessage(error)}", error);
        }
    }

    /// <summary>All keys.</summary>
    public IEnumerable<string> Keys => _object.EnumerateObject().Select(Name);

    /// <summary>True where the value asks for nothing: null, false, 0, or an empty text, list or object.</summary>
    public bool IsNeutral(string key) => Value(key) is not { } value || value.ValueKind switch
    {
        JsonValueKind.False => true,
        JsonValueKind.Number => value.TryGetDouble(out var number) && number == 0,
        JsonValueKind.String => Text(value) is "",
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        _ => false,
    };

    /// <summary>True where the value is the number 1.</summary>
    public bool IsOne(string key) =>
        Value(key) is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out var number) && number == 1;

    /// <summary>True where the value is one of these words.</summary>
    public bool IsWord(string key, IReadOnlyCollection<string> words) =>
        Value(key) is { } value && Text(value) is { } text && words.Contains(text);

    /// <summary>True where the key is there, even as <c>null</c>.</summary>
    public bool Contains(string key) => _object.TryGetProperty(key, out _);

    /// <summary>True where the key is there and not <c>null</c>.</summary>
    public bool Has(string key) => Value(key) is not null;

    /// <summary>A whole number; <paramref name="fallback"/> where it is absent or null.</summary>
    public int Integer(string key, int min, int max, int? fallback = null)
    {
        if (Value(key) is not { } value) return fallback ?? throw Missing(key, WholeNumber(min, max));
        return IsWholeNumber(value, min, max, out var number) ? number : throw Refuse(key, WholeNumber(min, max));
    }

    /// <summary>A finite number; <paramref name="fallback"/> where it is absent or null.</summary>
    public double Number(string key, double min, double max, double? fallback = null)
    {
        var allowed = string.Create(CultureInfo.InvariantCulture, $"a number from {min} to {max}");
        if (Value(key) is not { } value) return fallback ?? throw Missing(key, allowed);
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= min && number <= max
            ? number
            : throw Refuse(key, allowed);
    }

    /// <summary>True or false; <paramref name="fallback"/> where it is absent or null.</summary>
    public bool Flag(string key, bool fallback) => Value(key)?.ValueKind switch
    {
        null => fallback,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Refuse(key, "true, false"),
    };

    /// <summary>One of <paramref name="allowed"/>; <paramref name="fallback"/> where it is absent or null.</summary>
    public string Word(string key, IReadOnlyCollection<string> allowed, string? fallback = null)
    {
        var all = string.Join(", ", allowed);
        if (Value(key) is not { } value) return fallback ?? throw Missing(key, all);
        return Text(value) is { } text && allowed.Contains(text) ? text : throw Refuse(key, all);
    }

    /// <summary>A list of words, each one of <paramref name="allowed"/>; null where it is absent or null.</summary>
    public string[]? Words(string key, int count, IReadOnlyCollection<string> allowed)
    {
        if (Value(key) is not { } value) return null;
        var refusal = $"a list of {count} of {string.Join(", ", allowed)}";
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() != count) throw Refuse(key, refusal);
        return [.. value.EnumerateArray()
            .Select(item => Text(item) is { } text && allowed.Contains(text) ? text : throw Refuse(key, refusal))];
    }

    /// <summary>A list of up to <paramref name="most"/> words that are not empty; none where it is absent or null.</summary>
    public ImmutableArray<string> Texts(string key, int most)
    {
        if (Value(key) is not { } value) return [];
        var refusal = $"a list of up to {most} words, null";
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > most) throw Refuse(key, refusal);
        return [.. value.EnumerateArray().Select(item => Text(item) is { Length: > 0 } text ? text : throw Refuse(key, refusal))];
    }

    /// <summary>Whole numbers, given alone or as a list; none where it is absent or null.</summary>
    public int[] Integers(string key, int min, int max, int most)
    {
        var allowed = $"{WholeNumber(min, max)}, a list of up to {most} of them, null";
        if (Value(key) is not { } value) return [];
        IEnumerable<JsonElement> items = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [value];
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > most) throw Refuse(key, allowed);
        return [.. items.Select(item => IsWholeNumber(item, min, max, out var number) ? number : throw Refuse(key, allowed))];
    }

    /// <summary>Finite numbers, <paramref name="count"/> of them.</summary>
    public double[] Numbers(string key, int count, double min, double max)
    {
        var allowed = string.Create(CultureInfo.InvariantCulture, $"a list of {count} numbers from {min} to {max}");
        if (Value(key) is not { } value) throw Missing(key, allowed);
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() != count) throw Refuse(key, allowed);
        return
        [
            .. value.EnumerateArray().Select(item =>
                item.ValueKind == JsonValueKind.Number && item.TryGetDouble(out var number) && number >= min && number <= max ? number
                    : throw Refuse(key, allowed)),
        ];
    }

    /// <summary>A nested object; null where it is absent or null.</summary>
    public JsonSection? Section(string key)
    {
        if (Value(key) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Object ? new(File, value, $"{_prefix}{key}.") : throw Refuse(key, "an object, null");
    }

    /// <summary>All keys with their values, which must be strings.</summary>
    public IEnumerable<KeyValuePair<string, string>> Strings()
    {
        foreach (var property in _object.EnumerateObject())
            yield return new(Name(property), Text(property.Value) ?? throw Refuse(property.Name, "a string"));
    }

    /// <summary>The mistake of a value that is not one of <paramref name="allowed"/>.</summary>
    public ConfigException Refuse(string key, string allowed)
    {
        var value = _object.TryGetProperty(key, out var found) ? OneLine.Of(found.GetRawText()) : "missing";
        return new($"{File}: key '{_prefix}{OneLine.Of(key)}' is {value}; allowed: {allowed}");
    }

    /// <summary>The mistake of a key that may change what the file means and that nobody reads.</summary>
    public ConfigException Unknown(string key)
    {
        var value = _object.TryGetProperty(key, out var found) ? OneLine.Of(found.GetRawText()) : "missing";
        return new($"{File}: key '{_prefix}{OneLine.Of(key)}' is {value}; it is not known here and may change what the model computes; "
            + "allowed: null");
    }

    private static string? Text(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) return null;
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException) // an escaped surrogate without its other half
        {
            return null;
        }
    }

    private static bool IsWholeNumber(JsonElement value, int min, int max, out int number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out number) && number >= min && number <= max;
    }

    private static string WholeNumber(int min, int max) => $"a whole number from {min} to {max}";

    private string Name(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException error)
        {
            throw new ConfigException($"{File}: a key below '{_prefix}' is not valid Unicode text", error);
        }
    }

    private ConfigException Missing(string key, string allowed) => new($"{File}: key '{_prefix}{key}' is missing; allowed: {allowed}");

    private JsonElement? Value(string key) =>
        _object.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
