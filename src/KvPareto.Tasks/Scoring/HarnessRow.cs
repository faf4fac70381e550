using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using KvPareto.Tasks.Gsm8k;
using KvPareto.Tasks.Mmlu;
using KvPareto.Tasks.Predictions;

namespace KvPareto.Tasks.Scoring;

/// <summary>
/// A row of lm-evaluation-harness's <c>samples_TASK_TIME.jsonl</c> (its option <c>--log_samples</c>): <c>doc</c>, <c>target</c>,
/// <c>resps</c> or <c>filtered_resps</c>, <c>filter</c>. Its tasks gsm8k, gsm8k_cot, mmlu_SUBJECT, longbench_NAME and RULER's (niah_…,
/// ruler_vt, ruler_cwe, ruler_fwe) are those of <see cref="TaskScores"/>.
/// </summary>
internal static partial class HarnessRow
{
    private const string Responses = "resps";
    private const string Filtered = "filtered_resps";
    private const string FlexibleFilter = "flexible-extract";

    /// <summary>Whether a row is one.</summary>
    public static bool IsOne(JsonRow row) => row.Has(Responses) || row.Has(Filtered);

    /// <summary>The task that a file's name gives, in the harness's words.</summary>
    public static string TaskOf(string stem) => FileName().Match(stem) is { Success: true } match ? match.Groups[1].Value : stem;

    /// <summary>Reads a row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="name">Task in the harness's words, or in this program's.</param>
    /// <param name="nameField">What gives it, for messages.</param>
    public static StoredPrediction Read(JsonRow row, string name, string nameField)
    {
        var doc = row.Inner("doc");
        if (name == MmluTask.DefaultName || name.StartsWith("mmlu_", StringComparison.Ordinal))
            return new(row, MmluTask.DefaultName, nameField, Likelihoods(row), Filtered, [Letter(row, doc)], null);
        var prediction = new TextPrediction(FirstText(row.Find(Responses)) ?? FirstText(row.Find(Filtered))
            ?? throw row.Error(Responses, "must be a list of texts"));
        var task = Task(name, JsonRow.TextOf(row.Find("filter")));
        return task is Gsm8kTask.DefaultName or Gsm8kTask.CotName or Gsm8kTask.FlexibleName
            ? new(row, task, nameField, prediction, Responses, [row.Has("target") ? row.Text("target") : doc.Text("answer")], null)
            : new(row, task, nameField, prediction, Responses, doc.OptionalTexts("answers") ?? doc.OptionalTexts("outputs")
                ?? [row.Text("target")], doc.OptionalTexts("all_classes"));
    }

    private static string Task(string name, string? filter) => name switch
    {
        Gsm8kTask.DefaultName or "gsm8k_cot" or "gsm8k_cot_zeroshot" or Gsm8kTask.CotName when filter == FlexibleFilter =>
            Gsm8kTask.FlexibleName,
        "gsm8k_cot" or "gsm8k_cot_zeroshot" => Gsm8kTask.CotName,
        _ when name.StartsWith("longbench_", StringComparison.Ordinal) => name["longbench_".Length..],
        _ => name,
    };

    // Each choice is a pair of log likelihood and whether it is what greedy decoding gives; numbers stand as texts since 2024.
    private static LikelihoodPrediction Likelihoods(JsonRow row)
    {
        var list = row.Find(Filtered) ?? row.Find(Responses);
        if (list is not { ValueKind: JsonValueKind.Array } choices)
            throw row.Error(Filtered, "must be a list of [log likelihood, is greedy]");
        return new([.. choices.EnumerateArray().Select(choice => Number(FirstLeaf(choice)))]);

        double Number(JsonElement? leaf) => JsonRow.TextOf(leaf) switch
        {
            "-inf" => double.MinValue,
            { } text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                && double.IsFinite(value) => value,
            _ => throw row.Error(Filtered, "must be a list of [log likelihood, is greedy]"),
        };
    }

    // The target of a choice is its number or its letter.
    private static string Letter(JsonRow row, JsonRow doc)
    {
        var text = JsonRow.TextOf(row.Find("target") ?? doc.Find("answer")) ?? "";
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < MmluRow.Letters.Length)
            return MmluRow.Letters[index].ToString();
        return text.Length == 1 && MmluRow.Letters.Contains(text[0], StringComparison.Ordinal) ? text
            : throw row.Error("target", "is no choice; allowed: 0 to 3, or A to D");
    }

    private static string? FirstText(JsonElement? element) => element is { } value ? JsonRow.TextOf(FirstLeaf(value)) : null;

    private static JsonElement? FirstLeaf(JsonElement element)
    {
        while (element.ValueKind == JsonValueKind.Array)
        {
            if (element.GetArrayLength() == 0) return null;
            element = element[0];
        }
        return element;
    }

    [GeneratedRegex(@"\Asamples_(.+?)(?:_\d{4}-\d{2}-\d{2}T[\d.-]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex FileName();
}
