using System.Text;

namespace KvPareto.Tasks.Synthetic;

/// <summary>A sentence with up to three open places, <c>{0}</c> to <c>{2}</c>, taken apart once.</summary>
internal sealed class SentenceTemplate
{
    private readonly string[] _literals; // one more than there are slots
    private readonly int[] _slots;

    private SentenceTemplate(string pattern, bool opensParagraphs)
    {
        OpensParagraphs = opensParagraphs;
        var literals = new List<string>();
        var slots = new List<int>();
        var start = 0;
        for (var open = pattern.IndexOf('{', StringComparison.Ordinal); open >= 0; open = pattern.IndexOf('{', start))
        {
            literals.Add(pattern[start..open]);
            slots.Add(pattern[open + 1] - '0');
            start = open + 3;
        }
        literals.Add(pattern[start..]);
        _literals = [.. literals];
        _slots = [.. slots];
        LiteralPieces = literals.Sum(literal => TextPieces.Count(literal.TrimEnd(' ')));
    }

    /// <summary>Words and punctuation marks without the slots.</summary>
    public int LiteralPieces { get; }

    /// <summary>
    /// Whether a paragraph may begin with it. Only filler does: a name after a line break is another token than after a space, and
    /// what is asked should not depend on that.
    /// </summary>
    public bool OpensParagraphs { get; }

    /// <summary>Templates from their patterns.</summary>
    public static SentenceTemplate[] Parse(params string[] patterns) =>
        [.. patterns.Select(pattern => new SentenceTemplate(pattern, opensParagraphs: false))];

    /// <summary>Templates that may begin a paragraph.</summary>
    public static SentenceTemplate[] ParseOpeners(params string[] patterns) =>
        [.. patterns.Select(pattern => new SentenceTemplate(pattern, opensParagraphs: true))];

    /// <summary>Writes the sentence with its slots filled.</summary>
    public void AppendTo(StringBuilder text, in Phrase phrase)
    {
        for (var i = 0; i < _slots.Length; i++)
            text.Append(_literals[i]).Append(_slots[i] switch { 0 => phrase.First, 1 => phrase.Second, _ => phrase.Third });
        text.Append(_literals[^1]);
    }

    /// <summary>Words and punctuation marks of the sentence with its slots filled.</summary>
    public int PiecesOf(in Phrase phrase)
    {
        var pieces = LiteralPieces;
        foreach (var slot in _slots)
            pieces += TextPieces.OfWord(slot switch { 0 => phrase.First, 1 => phrase.Second, _ => phrase.Third });
        return pieces;
    }
}

/// <summary>A sentence: a template and the words in its slots.</summary>
internal readonly record struct Phrase(SentenceTemplate Template, string First = "", string Second = "", string Third = "")
{
    /// <summary>Words and punctuation marks.</summary>
    public int Pieces => Template.PiecesOf(this);

    /// <summary>Writes the sentence.</summary>
    public void AppendTo(StringBuilder text) => Template.AppendTo(text, this);
}
