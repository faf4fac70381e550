using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.PreTokenization;

/// <summary>
/// Hand-written twins of the two families of splitting regexes that nearly all byte-level BPE models use: GPT-2's, and the one
/// of cl100k_base, Llama 3 and Qwen. Every character lies in exactly one match.
/// </summary>
internal sealed class WordPattern : TextPattern
{
    /// <summary>GPT-2; also what a ByteLevel pre-tokenizer with <c>use_regex</c> splits by.</summary>
    public const string Gpt2Regex = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>cl100k_base and Llama 3: up to three digits a piece.</summary>
    public const string Llama3Regex =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>Qwen 2, 2.5 and 3: single digits.</summary>
    public const string Qwen2Regex =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const byte Word = CharacterKind.Letter;
    private const byte Other = 0;

    private readonly bool _gpt2;
    private readonly int _longestNumber;

    private WordPattern(bool gpt2, int longestNumber) => (_gpt2, _longestNumber) = (gpt2, longestNumber);

    /// <summary><see cref="Gpt2Regex"/>.</summary>
    public static WordPattern Gpt2 { get; } = new(true, int.MaxValue);

    /// <summary><see cref="Llama3Regex"/>.</summary>
    public static WordPattern Llama3 { get; } = new(false, 3);

    /// <summary><see cref="Qwen2Regex"/>.</summary>
    public static WordPattern Qwen2 { get; } = new(false, 1);

    /// <summary>The twin of <paramref name="regex"/>, or null where there is none.</summary>
    public static WordPattern? TwinOf(string regex) => regex switch
    {
        Gpt2Regex => Gpt2,
        Llama3Regex => Llama3,
        Qwen2Regex => Qwen2,
        _ => null,
    };

    public override void FindAll(ReadOnlySpan<char> text, List<TextMatch> matches, WorkBudget budget)
    {
        for (var at = 0; at < text.Length;)
        {
            var end = End(text, at);
            matches.Add(new(at, end));
            at = end;
        }
    }

    /// <summary>Where the match that begins at <paramref name="at"/> ends; one begins at every end, and at the start of the text.</summary>
    public int End(ReadOnlySpan<char> text, int at) => _gpt2 ? Gpt2End(text, at) : Cl100kEnd(text, at);

    private static int Gpt2End(ReadOnlySpan<char> text, int at)
    {
        if (text[at] == '\'' && ContractionEnd(text, at, anyCase: false) is var contraction and > 0) return contraction;
        var (body, kind, width) = (at, CharacterKind.At(text, at, out var first), first);
        if (text[at] == ' ' && at + 1 < text.Length
            && CharacterKind.At(text, at + 1, out var second) is var next and not CharacterKind.Space)
            (body, kind, width) = (at + 1, next, second);
        return kind == CharacterKind.Space ? SpaceEnd(text, at) : RunEnd(text, body + width, kind);
    }

    private int Cl100kEnd(ReadOnlySpan<char> text, int at)
    {
        var c = text[at];
        if (c == '\'' && ContractionEnd(text, at, anyCase: true) is var contraction and > 0) return contraction;
        var kind = CharacterKind.At(text, at, out var width);
        if (kind == Word) return RunEnd(text, at + width, Word);
        var next = at + width;
        if (kind == CharacterKind.Number) return NumberEnd(text, next);
        var nextKind = next < text.Length ? CharacterKind.At(text, next, out _) : CharacterKind.Space;
        if (nextKind == Word && c is not ('\r' or '\n')) return RunEnd(text, next, Word);
        if (kind == Other || (c == ' ' && nextKind == Other))
        {
            var end = RunEnd(text, next, Other);
            while (end < text.Length && text[end] is '\r' or '\n') end++;
            return end;
        }
        return LineEnd(text, at) is var line and > 0 ? line : SpaceEnd(text, at);
    }

    // 's|'t|'re|'ve|'m|'ll|'d; without regard to case, s also matches ſ (U+017F), as Unicode case folding has it.
    private static int ContractionEnd(ReadOnlySpan<char> text, int at, bool anyCase)
    {
        var first = at + 1 < text.Length ? Fold(text[at + 1], anyCase) : '\0';
        if (first is 's' or 't' or 'm' or 'd') return at + 2;
        var second = at + 2 < text.Length ? Fold(text[at + 2], anyCase) : '\0';
        return (first, second) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? at + 3 : 0;
    }

    private static char Fold(char c, bool anyCase) =>
        !anyCase ? c : c == '\u017F' ? 's' : char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c;

    private static int RunEnd(ReadOnlySpan<char> text, int at, byte kind)
    {
        while (at < text.Length && CharacterKind.At(text, at, out var width) == kind) at += width;
        return at;
    }

    private int NumberEnd(ReadOnlySpan<char> text, int at)
    {
        for (var count = 1; count < _longestNumber && at < text.Length
            && CharacterKind.At(text, at, out var width) == CharacterKind.Number; count++)
            at += width;
        return at;
    }

    // \s*[\r\n]+ : the white space up to its last line end; 0 where it has none.
    private static int LineEnd(ReadOnlySpan<char> text, int at) =>
        text[at..RunEnd(text, at, CharacterKind.Space)].LastIndexOfAny('\r', '\n') is var last and >= 0 ? at + last + 1 : 0;

    // \s+(?!\S)|\s+ : all of the white space at the end of the text, else all but its last character, which goes with what follows.
    private static int SpaceEnd(ReadOnlySpan<char> text, int at)
    {
        var end = RunEnd(text, at, CharacterKind.Space);
        return end == text.Length || end == at + 1 ? end : end - 1;
    }
}
