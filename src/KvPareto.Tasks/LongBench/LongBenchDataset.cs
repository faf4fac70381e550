using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using KvPareto.Tasks.Metrics;
using KvPareto.Tasks.Metrics.Chinese;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.LongBench;

/// <summary>
/// One of LongBench v1's 21 data sets: its official prompt, its generation limit and its score, from LongBench's own
/// <c>config/</c>, <c>pred.py</c> and <c>eval.py</c> (github.com/THUDM/LongBench, MIT).
/// </summary>
internal sealed record LongBenchDataset
{
    private static readonly Lazy<IReadOnlyList<LongBenchDataset>> Table = new(ReadTable);

    private static readonly JsonSerializerOptions TableOptions = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>All 21, in the order of LongBench's table.</summary>
    public static IReadOnlyList<LongBenchDataset> All => Table.Value;

    /// <summary>The names, joined by commas, for messages.</summary>
    public static string Names => string.Join(", ", All.Select(dataset => dataset.Name));

    /// <summary>Name, as in the field <c>dataset</c> of a row.</summary>
    public required string Name { get; init; }

    /// <summary>How a prediction is compared with an answer.</summary>
    public required LongBenchMetric Metric { get; init; }

    /// <summary>Limit on new tokens.</summary>
    public required int MaxNewTokens { get; init; }

    /// <summary>Whether the prompt goes through the model's chat template; few-shot and completion prompts are sent bare.</summary>
    public bool ChatTemplate { get; init; }

    /// <summary>Whether only the first line of the prediction counts, leading line feeds dropped.</summary>
    public bool FirstLineOnly { get; init; }

    /// <summary>Whether a line feed ends the answer.</summary>
    public bool StopAtNewline { get; init; }

    /// <summary>What stands before the number in an answer of <see cref="LongBenchMetric.ParagraphMatch"/>; else empty.</summary>
    public string AnswerMarker { get; init; } = "";

    /// <summary>Prompt with the slots <c>{context}</c> and, in most, <c>{input}</c>.</summary>
    public required string Prompt { get; init; }

    /// <summary>Whether the score is one of Chinese words, for which a <see cref="ChineseSegmenter"/> is needed.</summary>
    public bool NeedsSegmenter => Metric is LongBenchMetric.ChineseQaF1 or LongBenchMetric.ChineseRougeL;

    /// <summary>
    /// The data set of a row; LongBench-E's name with "_e" stands for the same one.
    /// </summary>
    /// <param name="name">Name from outside.</param>
    /// <param name="dataset">The data set, if there is one.</param>
    /// <param name="problem">Else what is wrong, naming what is allowed.</param>
    public static bool TryFind(string name, [NotNullWhen(true)] out LongBenchDataset? dataset, [NotNullWhen(false)] out string? problem)
    {
        dataset = All.FirstOrDefault(known => name == known.Name || name == known.Name + "_e");
        problem = dataset is null ? $"is '{OneLine.Of(name)}', which is none of LongBench's; allowed: {Names}" : null;
        return dataset is not null;
    }

    /// <summary>What to say of a row that <see cref="NeedsSegmenter"/> where there is none.</summary>
    /// <param name="place">The key or option that names jieba's folder.</param>
    public string SegmenterMissing(string place) =>
        $"is '{Name}', which is scored on the words that jieba makes; allowed: with {place} naming {ChineseSegmenter.FolderWords}";

    /// <summary>The prompt with its slots filled, before truncation and chat template.</summary>
    public string Format(string context, string input)
    {
        // One pass over the template: a slot's name inside the context is text.
        var pieces = Prompt.Split("{context}", 2);
        return Fill(pieces[0]) + context + Fill(pieces[1]);

        string Fill(string piece) => piece.Replace("{input}", input, StringComparison.Ordinal);
    }

    /// <summary>What makes a row impossible to score (LongBench's own code fails on it), with the field's name, or null.</summary>
    public (string Field, string Problem)? FindProblem(IReadOnlyList<string> answers, IReadOnlyList<string>? allClasses)
    {
        if (Metric == LongBenchMetric.ClassMatch && allClasses is null) return ("all_classes", $"must be a list of strings for {Name}");
        if (Metric == LongBenchMetric.ParagraphMatch && answers.Any(answer => NumberMatch.NumberAfter(answer, AnswerMarker) is null))
            return ("answers", $"must say '{AnswerMarker}' and a number for {Name}");
        return null;
    }

    /// <summary>Score of one row, 0 to 1: the best over its answers, 0 where there are none.</summary>
    /// <param name="prediction">What the model wrote.</param>
    /// <param name="answers">Right answers.</param>
    /// <param name="allClasses">The classes of a classification task.</param>
    /// <param name="segmenter">Where <see cref="NeedsSegmenter"/>.</param>
    /// <exception cref="ScoreBudgetException">The texts are too long to be compared.</exception>
    /// <exception cref="ArgumentException"><see cref="FindProblem"/> finds one, or the segmenter is missing.</exception>
    public double Score(
        string prediction, IReadOnlyList<string> answers, IReadOnlyList<string>? allClasses, ChineseSegmenter? segmenter = null)
    {
        if (NeedsSegmenter && segmenter is null) throw new ArgumentException($"{Name} needs a segmenter", nameof(segmenter));
        if (FindProblem(answers, allClasses) is { } found) throw new ArgumentException($"{found.Field} {found.Problem}");
        if (FirstLineOnly) prediction = prediction.TrimStart('\n').Split('\n', 2)[0];
        var score = Against(prediction, allClasses, segmenter, new());
        return answers.Distinct(StringComparer.Ordinal).Select(score).Append(0).Max();
    }

    // What can be made of the prediction alone is made once for all answers.
    private Func<string,
        double> Against(string prediction, IReadOnlyList<string>? allClasses, ChineseSegmenter? segmenter, ScoreBudget budget)
    {
        return Metric switch
        {
            LongBenchMetric.QaF1 => QaF1.Against(prediction, budget),
            LongBenchMetric.RougeL => Both(answer => RougeL.Score(prediction, answer, budget: budget)),
            LongBenchMetric.ClassMatch => answer => ClassMatch.Score(prediction, answer, allClasses!, budget),
            LongBenchMetric.CountMatch => NumberMatch.Against(prediction, budget),
            LongBenchMetric.ParagraphMatch => Paragraph(NumberMatch.Against(prediction, budget)),
            LongBenchMetric.CodeSimilarity => Both(answer => CodeSimilarity.Score(prediction, answer, budget)),
            LongBenchMetric.ChineseQaF1 => ChineseQaF1.Against(prediction, segmenter!, budget),
            LongBenchMetric.ChineseRougeL => Both(answer => ChineseRougeL.Score(prediction, answer, segmenter!, budget)),
            _ => throw new InvalidOperationException($"{Metric} is no metric"),
        };

        Func<string, double> Paragraph(Func<string, double> match) => answer => match(NumberMatch.NumberAfter(answer, AnswerMarker)!);

        Func<string, double> Both(Func<string, double> compare) => answer =>
        {
            budget.Spend(ScoreBudget.StepsOfCharacter * ((long)prediction.Length + answer.Length));
            return compare(answer);
        };
    }

    private static IReadOnlyList<LongBenchDataset> ReadTable()
    {
        using var stream = typeof(LongBenchDataset).Assembly.GetManifestResourceStream("longbench-datasets.json")!;
        return JsonSerializer.Deserialize<TableFile>(stream, TableOptions)!.Datasets;
    }

    private sealed record TableFile(IReadOnlyList<LongBenchDataset> Datasets);
}
