namespace KvPareto.Text.Input;

/// <summary>
/// The work that one job over a file from outside may do. Templates, normalizers, patterns and decoders are programs that come with a
/// model, so what they touch is counted: one unit is an element, a step, or sixteen characters. The worst of them ends in one line.
/// </summary>
/// <param name="units">Units.</param>
/// <param name="longestText">UTF-16 units of the longest text that may be made.</param>
/// <param name="refuse">Makes the exception of a message.</param>
internal sealed class WorkBudget(long units, int longestText, Func<string, Exception> refuse)
{
    private const int CharactersPerUnit = 16;
    private const int UnitsPerCharacter = 64;
    private const long LeastUnits = 1L << 22;
    private const int LeastLength = 1 << 24;
    private const int MostGrowth = 16;
    private static readonly TimeSpan LeastMatching = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MatchingPerCharacter = TimeSpan.FromMicroseconds(4);

    private long _allowed = units;
    private long _left = units;

    /// <summary>Processor time that regexes may still take: what they do within one match cannot be counted otherwise.</summary>
    public TimeSpan MatchingLeft { get; private set; } = LeastMatching;

    /// <summary>The budget of a text through a tokenizer: many times what any published one needs.</summary>
    /// <param name="length">UTF-16 units of the text.</param>
    /// <param name="source">File for the message.</param>
    public static WorkBudget ForText(int length, string source) =>
        new(LeastUnits + UnitsPerCharacter * (long)length, (int)Math.Clamp((long)MostGrowth * length, LeastLength, Array.MaxLength / 2),
            message =>
            new ConfigException($"{source}: this tokenizer needs {message} for one text"))
        {
            MatchingLeft = LeastMatching + MatchingPerCharacter * length,
        };

    /// <summary>Counts units.</summary>
    /// <exception cref="Exception">Too many.</exception>
    public void Spend(long count = 1)
    {
        _left -= count;
        if (_left < 0) throw refuse($"more than {_allowed} steps");
    }

    /// <summary>Counts the characters of a text that is about to be walked or made.</summary>
    /// <exception cref="Exception">It is too long, or too much altogether.</exception>
    public void Text(long length)
    {
        if (length > longestText) throw TooLong();
        Spend(length / CharactersPerUnit);
    }

    /// <summary>Checks a length that grows within a step that is counted already.</summary>
    /// <exception cref="Exception">It is too long.</exception>
    public void CheckLength(long length)
    {
        if (length > longestText) throw TooLong();
    }

    /// <summary>Adds to the budget as a job goes on.</summary>
    public void Allow(long count) => (_allowed, _left) = (_allowed + count, _left + count);

    /// <summary>Counts the time of matching since <paramref name="start"/>.</summary>
    /// <param name="start">A <see cref="ProcessorTime"/>.</param>
    /// <param name="pattern">The pattern, for the message.</param>
    /// <exception cref="Exception">Too much.</exception>
    public void SpendMatching(TimeSpan start, string pattern)
    {
        MatchingLeft -= ProcessorTime.OfThread() - start;
        if (MatchingLeft <= TimeSpan.Zero) throw refuse($"too long to match its pattern {OneLine.Quote(pattern)}");
    }

    private Exception TooLong() => refuse($"a text of more than {longestText} characters");
}
