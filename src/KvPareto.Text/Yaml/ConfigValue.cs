using System.Globalization;
using KvPareto.Text.Input;

namespace KvPareto.Text.Yaml;

/// <summary>A value of a config with its place, read strictly: every mistake names file, line, key and what is allowed.</summary>
/// <param name="File">The config's name in messages.</param>
/// <param name="Key">Dotted path of keys, <c>axes.cache[2]</c>.</param>
/// <param name="Node">The value.</param>
public readonly record struct ConfigValue(string File, string Key, YamlNode Node)
{
    private const int MostQuoted = 60;

    /// <summary>Any text that is not empty.</summary>
    public string Text(string allowed)
    {
        if (Node is not YamlScalar scalar) throw Error($"is a {Kind}", allowed);
        if (scalar.IsNull || scalar.Text.Trim().Length == 0) throw Error("has no value", allowed);
        return scalar.Text;
    }

    /// <summary>One of a few words.</summary>
    public string Word(params ReadOnlySpan<string> words)
    {
        var allowed = string.Join(", ", words);
        var text = Text(allowed);
        return words.Contains(text) ? text
            : throw Error($"has the unknown value '{Shorten(text)}'", allowed + Nearest.Question(text, words));
    }

    /// <summary>A whole number within bounds.</summary>
    public int Integer(int min, int max, string? allowed = null)
    {
        allowed ??= $"a whole number from {min} to {max}";
        if (Node is not YamlScalar scalar) throw Error($"is a {Kind}", allowed);
        if (!scalar.Plain || !long.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            throw Error(scalar.IsNull ? "has no value" : $"is '{Shorten(scalar.Text)}', not a whole number", allowed);
        return number >= min && number <= max ? (int)number : throw Error($"is {number}, out of range", allowed);
    }

    /// <summary>A finite number within bounds.</summary>
    public double Number(double min, double max)
    {
        var allowed = string.Create(CultureInfo.InvariantCulture, $"a number from {min} to {max}");
        if (Node is not YamlScalar scalar) throw Error($"is a {Kind}", allowed);
        if (!scalar.Plain || !double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            throw Error(scalar.IsNull ? "has no value" : $"is '{Shorten(scalar.Text)}', not a number", allowed);
        return number >= min && number <= max ? number : throw Error($"is {Shorten(scalar.Text)}, out of range", allowed);
    }

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public bool Boolean()
    {
        const string Allowed = "true, false";
        if (Node is not YamlScalar scalar) throw Error($"is a {Kind}", Allowed);
        return scalar switch
        {
            { Plain: true, Text: "true" } => true,
            { Plain: true, Text: "false" } => false,
            { IsNull: true } => throw Error("has no value", Allowed),
            _ => throw Error($"is '{Shorten(scalar.Text)}', not a truth value", Allowed),
        };
    }

    /// <summary>The items of a list that is not empty.</summary>
    public IReadOnlyList<ConfigValue> List(string allowed)
    {
        if (Node is not YamlSequence list)
            throw Error(Node is YamlScalar { IsNull: true } ? "has no value" : $"is a {Kind}, not a list", allowed);
        if (list.Items.Count == 0) throw Error("is an empty list", allowed);
        var (file, key) = (File, Key);
        return [.. list.Items.Select((item, index) => new ConfigValue(file, $"{key}[{index}]", item))];
    }

    /// <summary>The mapping, whose keys must all be among <paramref name="keys"/>.</summary>
    public ConfigMap Map(params ReadOnlySpan<string> keys)
    {
        var allowed = string.Join(", ", keys);
        if (Node is not YamlMapping map) throw Error($"is a {Kind}, not a mapping", $"keys {allowed}");
        foreach (var (key, line) in map.KeyLines)
            if (!keys.Contains(key))
                throw new ConfigException(
                    $"{File}:{line}: key '{Shorten(Join(key))}' is unknown; allowed: {allowed}{Nearest.Question(key, keys)}");
        return new ConfigMap(this, map);
    }

    /// <summary>File, line and key, for messages.</summary>
    public string Place => $"{File}:{Node.Line}: {(Key.Length == 0 ? "the config" : $"key '{Key}'")}";

    /// <summary>A mistake in this value.</summary>
    public ConfigException Error(string problem, string allowed) => new($"{Place} {problem}; allowed: {allowed}");

    /// <summary>A text of the file for a message: its beginning, on one line.</summary>
    public static string Shorten(string text) => OneLine.Of(text.Length <= MostQuoted ? text : $"{text[..MostQuoted]}…");

    internal string Join(string key) => Key.Length == 0 ? key : $"{Key}.{key}";

    private string Kind => Node switch { YamlScalar => "single value", YamlSequence => "list", _ => "mapping" };
}

/// <summary>A mapping whose keys are known.</summary>
public readonly record struct ConfigMap(ConfigValue Place, YamlMapping Mapping)
{
    /// <summary>The value of a key, or null where it is absent.</summary>
    public ConfigValue? Find(string key) =>
        Mapping.Values.TryGetValue(key, out var node) ? new ConfigValue(Place.File, Place.Join(key), node) : null;

    /// <summary>The value of a key that must be there.</summary>
    public ConfigValue Require(string key, string allowed) =>
        Find(key) ?? throw new ConfigException($"{Place.File}:{Mapping.Line}: key '{Place.Join(key)}' is missing; allowed: {allowed}");
}
