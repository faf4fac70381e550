namespace KvPareto.Text.Yaml;

/// <summary>A value of a YAML document with the line it starts on.</summary>
public abstract record YamlNode(int Line);

/// <summary>Text; <paramref name="Plain"/> where it stands without quotes, so that it may mean a number, a boolean or nothing.</summary>
public sealed record YamlScalar(string Text, bool Plain, int Line) : YamlNode(Line)
{
    /// <summary>True for nothing: an empty value, <c>~</c> or <c>null</c>.</summary>
    public bool IsNull => Plain && Text is ("" or "~" or "null" or "Null" or "NULL");
}

/// <summary>A list.</summary>
public sealed record YamlSequence(IReadOnlyList<YamlNode> Items, int Line) : YamlNode(Line);

/// <summary>Keys and values in the order they stand; no key twice.</summary>
public sealed record YamlMapping(IReadOnlyDictionary<string, YamlNode> Values, IReadOnlyDictionary<string, int> KeyLines, int Line)
    : YamlNode(Line);
