using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Tasks.Niah;

/// <summary>A haystack as one model's tokens, from which texts of a wanted length are cut.</summary>
internal sealed class HaystackTokens
{
    private const char Replacement = '\uFFFD';

    private readonly Tokenizer _tokenizer;
    private readonly int[] _ids;

    /// <summary>Encodes <paramref name="text"/>, repeated as often as <paramref name="count"/> tokens ask for.</summary>
    public HaystackTokens(Tokenizer tokenizer, string text, int count)
    {
        _tokenizer = tokenizer;
        var once = tokenizer.Encode(text, addSpecialTokens: false);
        if (once.Length == 0) throw new ConfigException("task niah: key 'folder': the model's tokenizer makes no token of the text");
        _ids = new int[Math.Max(count, once.Length)];
        for (var i = 0; i < _ids.Length; i++) _ids[i] = once[i % once.Length];
    }

    /// <summary>Text of the first <paramref name="count"/> tokens with the needle put in at <paramref name="depth"/> percent.</summary>
    public string WithNeedle(int count, double depth, string needle)
    {
        var ids = _ids.AsSpan(0, count);
        // A cut can fall within a character of several tokens.
        var text = _tokenizer.Decode(ids).TrimEnd(Replacement);
        var place = Place(ids, depth);
        if (place == count) return text + needle;
        var before = _tokenizer.Decode(ids[..place]);
        // Decoded alone, what comes after would lose its leading blank in some vocabularies.
        return text.StartsWith(before, StringComparison.Ordinal)
            ? text.Insert(before.Length, needle)
            : before + needle + _tokenizer.Decode(ids[place..]).TrimEnd(Replacement);
    }

    /// <summary>Number of tokens before the needle.</summary>
    private int Place(ReadOnlySpan<int> ids, double depth)
    {
        if (depth >= 100) return ids.Length;
        var place = (int)(ids.Length * (depth / 100));
        while (place > 0 && !IsFullStop(ids[place - 1])) place--;
        return place;
    }

    private bool IsFullStop(int id) => _tokenizer.Decode([id]).AsSpan().TrimEnd().EndsWith('.');
}
