using System.Globalization;

namespace KvPareto.Tasks.Scoring;

/// <summary>A task's mean score.</summary>
/// <param name="Task">Task, as the rows name it.</param>
/// <param name="Rows">Rows scored.</param>
/// <param name="Percent">100 · mean, 0 to 100, in full.</param>
public sealed record TaskTotal(string Task, int Rows, double Percent)
{
    /// <summary><see cref="Percent"/> to two decimals as LongBench prints it: ties to even, where the value is exactly half-way.</summary>
    public double RoundedPercent
    {
        get
        {
            // Of all binary fractions only odd eighths lie half-way between hundredths; scaling by 100 first would make false ties.
            var eighths = Percent * 8;
            return eighths == Math.Floor(eighths) && eighths % 2 != 0
                ? Math.Round(Percent, 2, MidpointRounding.ToEven)
                : double.Parse(Percent.ToString("F2", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        }
    }
}

/// <summary>Adds up scores by task as they come.</summary>
public sealed class TaskTotals
{
    private readonly SortedDictionary<string, (int Rows, double Sum)> _tasks = new(StringComparer.Ordinal);

    /// <summary>The means, in ordinal order of the tasks' names.</summary>
    public IReadOnlyList<TaskTotal> Totals =>
        [.. _tasks.Select(entry => new TaskTotal(entry.Key, entry.Value.Rows, 100 * entry.Value.Sum / entry.Value.Rows))];

    /// <summary>Counts one score in.</summary>
    public void Add(ScoredPrediction scored)
    {
        var (rows, sum) = _tasks.GetValueOrDefault(scored.Task);
        _tasks[scored.Task] = (rows + 1, sum + scored.Score);
    }
}
