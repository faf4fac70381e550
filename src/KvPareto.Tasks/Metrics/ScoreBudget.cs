using KvPareto.Text.Input;

namespace KvPareto.Tasks.Metrics;

/// <summary>Steps that the scoring of one prediction may take, whatever it and its answers hold: about a second's.</summary>
/// <param name="most">Steps allowed; one is a character looked at or a cell of a table filled.</param>
internal sealed class ScoreBudget(long most = ScoreBudget.Most)
{
    /// <summary>Texts of 30,000 words compared with each other, or an answer sought in each of 100 million characters.</summary>
    public const long Most = 1_000_000_000;

    /// <summary>Steps to cut a character out of a text and put it into a word.</summary>
    public const int StepsOfCharacter = 32;

    private long _left = most;

    /// <summary>Counts steps that are about to be taken.</summary>
    /// <exception cref="ScoreBudgetException">They are more than is left.</exception>
    public void Spend(long steps)
    {
        _left -= steps;
        if (_left < 0) throw new ScoreBudgetException();
    }

    /// <summary>Whether <paramref name="text"/> holds <paramref name="wanted"/>, character by character; counted.</summary>
    /// <exception cref="ScoreBudgetException">They are longer than is left.</exception>
    public bool Holds(string text, string wanted)
    {
        Spend(text.Length + wanted.Length);
        return wanted.Length == 0 || new TextSearch(wanted).Find(text) >= 0;
    }
}

/// <summary>A prediction and its answers are too long, or repeat themselves too much, to be compared in reasonable time.</summary>
public sealed class ScoreBudgetException() : Exception(
    "prediction and answers are too long, or repeat themselves too much, to be compared: scoring them takes over 1,000,000,000 steps");
