using KvPareto.Text.Input;

namespace KvPareto.Tasks.Gsm8k;

/// <summary>A question with its solution, which ends in the answer.</summary>
internal sealed record Gsm8kRow(string Question, string Answer)
{
    /// <summary>
    /// The first <paramref name="limit"/> rows (null: all) of a file with the fields <c>question</c> and <c>answer</c>, whose answers
    /// have the form of <paramref name="format"/>.
    /// </summary>
    /// <exception cref="ConfigException">Names file, line and field.</exception>
    public static IReadOnlyList<Gsm8kRow> ReadFile(string path, Gsm8kFormat format, int? limit)
    {
        var rows = new List<Gsm8kRow>();
        foreach (var json in JsonLines.Read(path).Take(limit ?? int.MaxValue))
        {
            var row = new Gsm8kRow(json.Text("question"), json.Text("answer"));
            if (Gsm8kAnswer.Strict(row.Answer, format) == Gsm8kAnswer.None)
                throw json.Error("answer", $"has no answer; allowed: a solution with '{Gsm8kAnswer.Marker(format)}' and a number");
            rows.Add(row);
        }
        return rows.Count > 0 ? rows : throw new ConfigException($"{path}: has no rows; allowed: at least one");
    }
}
