using System.CommandLine;
using System.Globalization;
using KvPareto.Cli.Terminal;
using KvPareto.Tasks.Scoring;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto score FILE.jsonl</c></summary>
internal static class ScoreCommand
{
    public static Command Create(CommandContext context)
    {
        var file = new Argument<string>("FILE") { Description = "JSON Lines (or .jsonl.gz) with the fields task, prediction, answers, all_classes." };
        var jieba = new Option<string?>("--jieba") { Description = "Folder with jieba's dict.txt and hmm.json, for the words of multifieldqa_zh, dureader and vcsum.", HelpName = "DIR" };
        var json = new Option<bool>("--json") { Description = "Print {\"rows\":[…],\"tasks\":[…]}." };
        var command = new Verb("score", "Scores stored predictions of LongBench, needles, GSM8K and MMLU, per row and per task, without the model.", "kvpareto score predictions.jsonl") { file, jieba, json };
        command.SetAction(parsed =>
        {
            var totals = new TaskTotals();
            var rows = new List<ScoredPrediction>();
            foreach (var row in PredictionScorer.ScoreFile(parsed.GetValue(file)!, parsed.GetValue(jieba)))
            {
                totals.Add(row);
                rows.Add(row);
            }
            if (parsed.GetValue(json)) WriteJson(context.Output, rows, totals.Totals);
            else WriteText(context.Output, rows, totals.Totals);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void WriteText(TextWriter output, List<ScoredPrediction> rows, IReadOnlyList<TaskTotal> totals)
    {
        foreach (var row in rows) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{row.Line,7}  {row.Task,-22}{row.Score,8:F4}"));
        output.WriteLine();
        output.WriteLine($"{"task",-22}{"rows",6}{"score",9}");
        foreach (var total in totals) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{total.Task,-22}{total.Rows,6}{total.RoundedPercent,9:F2}"));
    }

    private static void WriteJson(TextWriter output, List<ScoredPrediction> rows, IReadOnlyList<TaskTotal> totals)
    {
        var document = new
        {
            rows = rows.Select(row => new { line = row.Line, task = row.Task, score = row.Score }),
            tasks = totals.Select(total => new { task = total.Task, rows = total.Rows, score = total.RoundedPercent, percent = total.Percent }),
        };
        output.WriteLine(JsonText.Of(document));
    }
}
