using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.PreTokenization;

/// <summary>A pattern, and how far it was read.</summary>
/// <param name="text">The pattern.</param>
internal sealed class PatternCursor(string text)
{
    /// <summary>The whole pattern.</summary>
    public string Text => text;

    /// <summary>The next character's index.</summary>
    public int At { get; set; }

    /// <summary>Whether nothing is left.</summary>
    public bool AtEnd => At >= text.Length;

    /// <summary>The next character.</summary>
    public char Current => text[At];

    /// <summary>Reads a character.</summary>
    public char Next() => text[At++];

    /// <summary>Whether <paramref name="expected"/> comes next.</summary>
    public bool Ahead(string expected) => string.CompareOrdinal(text, At, expected, 0, expected.Length) == 0;

    /// <summary>Reads <paramref name="expected"/> where it comes next.</summary>
    public bool Take(string expected)
    {
        if (!Ahead(expected)) return false;
        At += expected.Length;
        return true;
    }

    /// <summary>The exception that says what is not known, and where.</summary>
    public FormatException Unknown(string construct) => new($"{construct} at character {At + 1} of the pattern {OneLine.Quote(text)}");
}
