namespace KvPareto.Sweep.Config;

/// <summary>A value of a YAML document with the line it starts on.</summary>
internal abstract record YamlNode(int Line);

/// <summary>Text; <paramref name="Plain"/> where it stands without quotes, so that it may mean a number, a boolean or nothing.</summary>
internal sealed record YamlScalar(string Text, bool Plain, int Line) : YamlNode(Line)
{
    public bool IsNull => Plain && Text is ("" or "~" or "null" or "Null" or "NULL");
}

/// <summary>A list.</summary>
internal sealed record YamlSequence(IReadOnlyList<YamlNode> Items, int Line) : YamlNode(Line);

/// <summary>Keys and values in the order they stand; no key twice.</summary>
internal sealed record YamlMapping(IReadOnlyDictionary<string, YamlNode> Values, IReadOnlyDictionary<string, int> KeyLines, int Line)
    : YamlNode(Line);
