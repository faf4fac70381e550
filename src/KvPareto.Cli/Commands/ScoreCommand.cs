using System.CommandLine;
using System.Globalization;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Tasks.Scoring;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto score FILE|DIR|-</c></summary>
internal static class ScoreCommand
{
    private const string StandardInput = "-";

    public static Command Create(CommandContext context)
    {
        var file = new Argument<string>("FILE")
        {
            Description =
                "JSON Lines (or .jsonl.gz), or a folder of them: predictions as LongBench's pred.py or lm-evaluation-harness's "
                + "--log_samples writes them, "
                + "a run's samples/, or rows with the fields task, prediction, answers, all_classes. - for standard input.",
        };
        var task = new Option<string?>("--task")
        { Description = "Task of rows that name none. Default: what the file's name says.", HelpName = "NAME" };
        var jieba = new Option<string?>("--jieba")
        {
            Description = "Folder with jieba's dict.txt and hmm.json, for the words of multifieldqa_zh, dureader and vcsum.",
            HelpName = "DIR"
        };
        var json = new Option<bool>("--json") { Description = "Print {\"rows\":[…],\"tasks\":[…]}." };
        var command = new Verb(
            "score",
            "Scores stored predictions of LongBench, needles, RULER, GSM8K and MMLU, per row and per task, without the model.",
            "kvpareto score pred/llama/narrativeqa.jsonl\nkvpareto score - --task hotpotqa < predictions.jsonl")
        {
            file, task, jieba, json,
        };
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(file)!;
            var files = path == StandardInput
                ? [Score(PredictionScorer.StandardInput,
                    PredictionScorer.ScoreStream(context.RequireInput("rows"), parsed.GetValue(jieba), parsed.GetValue(task)))]
                : PredictionScorer.Files(path)
                    .Select(name => Score(name, PredictionScorer.ScoreFile(name, parsed.GetValue(jieba), parsed.GetValue(task)))).ToList();
            if (parsed.GetValue(json)) WriteJson(context.Output, files);
            else WriteText(context.Output, files);
            return ExitCode.Ok;
        });
        return command;
    }

    private static ScoredFile Score(string name, IEnumerable<ScoredPrediction> scored)
    {
        var (rows, totals) = (new List<ScoredPrediction>(), new TaskTotals());
        foreach (var row in scored)
        {
            totals.Add(row);
            rows.Add(row);
        }
        return new(name, rows, totals.Totals);
    }

    private static void WriteText(TextWriter output, List<ScoredFile> files)
    {
        foreach (var file in files)
        {
            if (files.Count > 1) output.WriteLine(TerminalText.OneLine(file.Name));
            foreach (var row in file.Rows)
                output.WriteLine(
                    string.Create(CultureInfo.InvariantCulture, $"{row.Line,7}  {TerminalText.OneLine(row.Task),-22}{row.Score,8:F4}"));
            output.WriteLine();
            output.WriteLine($"{"task",-22}{"rows",6}{"score",9}");
            foreach (var total in file.Totals)
                output.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture, $"{TerminalText.OneLine(total.Task),-22}{total.Rows,6}{total.RoundedPercent,9:F2}"));
            if (files.Count > 1) output.WriteLine();
        }
    }

    private static void WriteJson(TextWriter output, List<ScoredFile> files)
    {
        var document = new
        {
            rows = files.SelectMany(
                file => file.Rows.Select(row => new { file = file.Name, line = row.Line, task = row.Task, score = row.Score })),
            tasks = files.SelectMany(file => file.Totals.Select(
                total => new
                {
                    file = file.Name,
                    task = total.Task,
                    rows = total.Rows,
                    score = total.RoundedPercent,
                    percent = total.Percent
                })),
        };
        output.WriteLine(JsonText.Of(document));
    }

    private sealed record ScoredFile(string Name, IReadOnlyList<ScoredPrediction> Rows, IReadOnlyList<TaskTotal> Totals);
}
