using System.Globalization;
using KvPareto.Engine.Model;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>The keys of a GGUF file. Its getters name file, key and what is allowed when a value is not what they need.</summary>
internal sealed class GgufMetadata(string path, ModelBytes file)
{
    private readonly Dictionary<string, GgufValue> _values = new(StringComparer.Ordinal);

    /// <summary>The file, for messages.</summary>
    public string Source => path;

    /// <summary>Adds a value; false where the key is there already.</summary>
    public bool TryAdd(string key, GgufValue value) => _values.TryAdd(key, value);

    /// <summary>True where the key is there.</summary>
    public bool Has(string key) => _values.ContainsKey(key);

    /// <summary>All keys.</summary>
    public IEnumerable<string> Keys => _values.Keys;

    /// <summary>True where the value asks for nothing: 0, false, or an empty text or array.</summary>
    public bool IsNeutral(string key)
    {
        if (!_values.TryGetValue(key, out var value)) return true;
        return value switch
        {
            { Count: { } count } => count == 0,
            { Type: GgufValueType.Bool } => !Flag(key, true),
            { Type: GgufValueType.String } => Text(key) is "",
            { Type: GgufValueType.F32 } => Cursor(value).Read<float>(key) == 0,
            { Type: GgufValueType.F64 } => Cursor(value).Read<double>(key) == 0,
            _ => Whole(value, Cursor(value)) == 0,
        };
    }

    /// <summary>A whole number of any width; <paramref name="fallback"/> where it is absent.</summary>
    public int Integer(string key, int min, int max, int? fallback = null)
    {
        if (!_values.TryGetValue(key, out var value)) return fallback ?? throw Missing(key, WholeNumber(min, max));
        return value.Count is null && Whole(value, Cursor(value)) is { } number && number >= min && number <= max
            ? (int)number
            : throw Refuse(key, WholeNumber(min, max));
    }

    /// <summary>A finite number; <paramref name="fallback"/> where it is absent.</summary>
    public double Number(string key, double min, double max, double? fallback = null)
    {
        var allowed = string.Create(CultureInfo.InvariantCulture, $"a number from {min} to {max}");
        if (!_values.TryGetValue(key, out var value)) return fallback ?? throw Missing(key, allowed);
        var cursor = Cursor(value);
        double? number = (value.Count, value.Type) switch
        {
            (null, GgufValueType.F32) => cursor.Read<float>(key),
            (null, GgufValueType.F64) => cursor.Read<double>(key),
            (null, _) => (double?)Whole(value, cursor),
            _ => null,
        };
        return number >= min && number <= max ? number.Value : throw Refuse(key, allowed);
    }

    /// <summary>True or false; <paramref name="fallback"/> where it is absent.</summary>
    public bool Flag(string key, bool fallback)
    {
        if (!_values.TryGetValue(key, out var value)) return fallback;
        return value is { Type: GgufValueType.Bool, Count: null } ? Cursor(value).Read<byte>(key) != 0 : throw Refuse(key, "true, false");
    }

    /// <summary>A text; null where it is absent.</summary>
    public string? Text(string key)
    {
        if (!_values.TryGetValue(key, out var value)) return null;
        return value is { Type: GgufValueType.String, Count: null } ? Cursor(value).ReadString(What(key)) : throw Refuse(key, "a string");
    }

    /// <summary>A text that is one of <paramref name="allowed"/>; <paramref name="fallback"/> where it is absent.</summary>
    public string Word(string key, IReadOnlyCollection<string> allowed, string? fallback = null)
    {
        var all = string.Join(", ", allowed);
        var text = Text(key) ?? fallback ?? throw Missing(key, all);
        return allowed.Contains(text) ? text : throw new ConfigException($"{path}: key '{key}' is '{OneLine.Of(text)}'; allowed: {all}");
    }

    /// <summary>Texts; null where the key is absent.</summary>
    /// <param name="key">Key of an array of strings.</param>
    /// <param name="most">Most elements.</param>
    public string[]? Texts(string key, int most)
    {
        if (Array(key, most, "strings", GgufValueType.String) is not { } value) return null;
        var cursor = Cursor(value);
        var texts = new string[value.Count!.Value];
        for (var i = 0; i < texts.Length; i++) texts[i] = cursor.ReadString($"key '{key}', element {i},");
        return texts;
    }

    /// <summary>f32 numbers; null where the key is absent.</summary>
    public float[]? Floats(string key, int most)
    {
        if (Array(key, most, "f32 numbers", GgufValueType.F32) is not { } value) return null;
        var cursor = Cursor(value);
        return [.. Enumerable.Range(0, (int)value.Count!.Value).Select(_ => cursor.Read<float>(key))];
    }

    /// <summary>i32 or u32 numbers; null where the key is absent.</summary>
    public int[]? Integers(string key, int most)
    {
        if (Array(key, most, "i32 numbers", GgufValueType.I32, GgufValueType.U32) is not { } value) return null;
        var cursor = Cursor(value);
        return [.. Enumerable.Range(0, (int)value.Count!.Value).Select(_ => cursor.Read<int>(key))];
    }

    /// <summary>The mistake of a value that is not one of <paramref name="allowed"/>.</summary>
    public ConfigException Refuse(string key, string allowed)
    {
        return _values.TryGetValue(key, out var value) ? new($"{path}: key '{OneLine.Of(key)}' is {Shown(key, value)}; allowed: {allowed}")
            : Missing(key, allowed);
    }

    /// <summary>The mistake of a key that may change what the file means and that nobody reads.</summary>
    public ConfigException Unknown(string key) =>
        new($"{path}: key '{OneLine.Of(key)}' is {Shown(key, _values[key])}; it is not known here and may change what the model "
            + "computes; allowed: a file without it");

    private string Shown(string key, GgufValue value) => value switch
    {
        { Count: { } count } => $"an array of {count} {value.Type}",
        { Type: GgufValueType.String } => $"the string '{OneLine.Of(Cursor(value).ReadString(What(key)))}'",
        { Type: GgufValueType.F32 } => Cursor(value).Read<float>(key).ToString(CultureInfo.InvariantCulture),
        { Type: GgufValueType.F64 } => Cursor(value).Read<double>(key).ToString(CultureInfo.InvariantCulture),
        { Type: GgufValueType.Bool } => "a flag",
        _ => Whole(value, Cursor(value)).ToString() ?? "",
    };

    private static string What(string key) => $"key '{key}'";

    private static string WholeNumber(int min, int max) => $"a whole number from {min} to {max}";

    private ConfigException Missing(string key, string allowed) => new($"{path}: key '{key}' is missing; allowed: {allowed}");

    private GgufCursor Cursor(GgufValue value) => new(path, file, value.Offset);

    private GgufValue? Array(string key, int most, string what, params ReadOnlySpan<GgufValueType> types)
    {
        if (!_values.TryGetValue(key, out var value)) return null;
        return value.Count <= most && types.Contains(value.Type) ? value : throw Refuse(key, $"an array of up to {most} {what}");
    }

    private static Int128? Whole(GgufValue value, GgufCursor cursor) => value.Type switch
    {
        GgufValueType.U8 => cursor.Read<byte>(""),
        GgufValueType.I8 => cursor.Read<sbyte>(""),
        GgufValueType.U16 => cursor.Read<ushort>(""),
        GgufValueType.I16 => cursor.Read<short>(""),
        GgufValueType.U32 => cursor.Read<uint>(""),
        GgufValueType.I32 => cursor.Read<int>(""),
        GgufValueType.U64 => cursor.Read<ulong>(""),
        GgufValueType.I64 => cursor.Read<long>(""),
        _ => null,
    };
}
