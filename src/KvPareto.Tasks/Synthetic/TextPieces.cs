namespace KvPareto.Tasks.Synthetic;

/// <summary>
/// Length of English text in pieces: each word, digit, run of punctuation marks and line break is one, a space before a digit
/// another. The tokenizer of the embedded models has one token for nearly every piece, so this is their length in tokens
/// within a few percent, without needing a tokenizer.
/// </summary>
internal static class TextPieces
{
    private enum Sort { Space, Letter, Digit, Break, Mark }

    /// <summary>Pieces of a text.</summary>
    public static int Count(ReadOnlySpan<char> text)
    {
        var pieces = 0;
        var previous = Sort.Space;
        var spaced = false;
        foreach (var character in text)
        {
            var sort = SortOf(character);
            pieces += sort switch
            {
                Sort.Space => 0,
                Sort.Digit => spaced ? 2 : 1,
                Sort.Break => 1,
                _ => sort == previous ? 0 : 1,
            };
            spaced = sort == Sort.Space;
            previous = sort;
        }
        return pieces;
    }

    /// <summary>Pieces of a slot's word, which stands after a space: one word, or digits.</summary>
    public static int OfWord(string word) => char.IsAsciiDigit(word[0]) ? word.Length + 1 : 1;

    private static Sort SortOf(char character) => character switch
    {
        ' ' => Sort.Space,
        '\n' => Sort.Break,
        >= '0' and <= '9' => Sort.Digit,
        _ when char.IsLetter(character) => Sort.Letter,
        _ => Sort.Mark,
    };
}
