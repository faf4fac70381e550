using System.Text.RegularExpressions;

namespace KvPareto.Tasks.Metrics.Chinese;

/// <summary>
/// jieba's hidden Markov model of where a character stands in its word, for runs of characters that the dictionary has no words for
/// (its <c>finalseg</c>): B begins a word, M is within, E ends it, S is a word alone. Numbers are natural logarithms of probabilities.
/// </summary>
/// <param name="start">[states], in the order of <see cref="States"/>.</param>
/// <param name="transition">[from, to].</param>
/// <param name="emission">[states]: the characters that a state is known to give.</param>
internal sealed partial class CharacterModel(double[] start, double[,] transition, Dictionary<char, double>[] emission)
{
    /// <summary>The states; jieba breaks ties by their letters, so their order is the letters'.</summary>
    public const string States = "BEMS";

    /// <summary>Stands for the logarithm of 0. So far out that what is added to it is lost.</summary>
    public const double Never = -3.14e100;

    private const int B = 0;
    private const int E = 1;
    private const int M = 2;
    private const int S = 3;

    // [states]: the two states that may stand before one, the lesser letter first.
    private static readonly (int Lesser, int Greater)[] Before = [(E, S), (B, M), (B, M), (E, S)];

    /// <summary>Whether a character is one of those that jieba takes for Chinese.</summary>
    public static bool IsHan(char c) => c is >= '\u4E00' and <= '\u9FD5';

    /// <summary>Cuts a run of Chinese characters, Latin letters, digits and signs; adds the pieces to <paramref name="words"/>.</summary>
    public void Cut(ReadOnlySpan<char> run, List<string> words)
    {
        for (var at = 0; at < run.Length;)
        {
            var end = at + 1;
            while (end < run.Length && IsHan(run[end]) == IsHan(run[at])) end++;
            if (IsHan(run[at])) CutHan(run[at..end], words);
            else CutOthers(run[at..end], words);
            at = end;
        }
    }

    private void CutHan(ReadOnlySpan<char> run, List<string> words)
    {
        var path = LikeliestStates(run);
        var begin = 0;
        for (var i = 0; i < path.Length; i++)
        {
            if (path[i] is B or S) begin = i;
            if (path[i] is E or S) words.Add(run[begin..(i + 1)].ToString());
        }
    }

    /// <summary>Viterbi's algorithm: the likeliest state of each character.</summary>
    private byte[] LikeliestStates(ReadOnlySpan<char> run)
    {
        var from = new byte[run.Length * States.Length]; // [characters, states]: the state before, on the best way here
        Span<double> best = stackalloc double[States.Length];
        Span<double> next = stackalloc double[States.Length];
        for (var state = 0; state < States.Length; state++) best[state] = start[state] + Emission(state, run[0]);
        for (var i = 1; i < run.Length; i++)
        {
            for (var state = 0; state < States.Length; state++)
            {
                var (lesser, greater) = Before[state];
                var given = Emission(state, run[i]);
                var (a, b) = (best[lesser] + transition[lesser, state] + given, best[greater] + transition[greater, state] + given);
                (next[state], from[i * States.Length + state]) = b >= a ? (b, (byte)greater) : (a, (byte)lesser);
            }
            next.CopyTo(best);
        }

        var path = new byte[run.Length];
        path[^1] = best[S] >= best[E] ? (byte)S : (byte)E;
        for (var i = run.Length - 1; i > 0; i--) path[i - 1] = from[i * States.Length + path[i]];
        return path;
    }

    private double Emission(int state, char letter) => emission[state].TryGetValue(letter, out var known) ? known : Never;

    /// <summary>A number or a Latin word with what belongs to it is one piece, and so is what stands between two of them.</summary>
    private static void CutOthers(ReadOnlySpan<char> run, List<string> words)
    {
        var end = 0;
        foreach (var match in LatinOrNumber().EnumerateMatches(run))
        {
            if (match.Index > end) words.Add(run[end..match.Index].ToString());
            end = match.Index + match.Length;
            words.Add(run[match.Index..end].ToString());
        }
        if (end < run.Length) words.Add(run[end..].ToString());
    }

    [GeneratedRegex(@"[a-zA-Z0-9]+(?:\.[0-9]+)?%?", RegexOptions.CultureInvariant)]
    private static partial Regex LatinOrNumber();
}
