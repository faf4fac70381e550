using System.Globalization;
using System.Text.Json;
using KvPareto.Engine;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Own;

/// <summary>A question of a user's row.</summary>
/// <param name="Id">The row's, and the question's place where a row has several.</param>
/// <param name="Prompt">The template, filled.</param>
/// <param name="Answers">Right answers.</param>
/// <param name="Classes">The classes of a classification, or none.</param>
internal sealed record OwnQuestion(string Id, string Prompt, IReadOnlyList<string> Answers, IReadOnlyList<string> Classes)
{
    private static readonly string[] Endings = [".jsonl", ".jsonl.gz", .. CsvRows.Endings];

    /// <summary>The questions of all rows, in order; of a folder, file by file in ordinal order of their names.</summary>
    /// <exception cref="ConfigException">Names file, line and field.</exception>
    public static IReadOnlyList<OwnQuestion> Read(OwnOptions options)
    {
        var files = Files(options.Data);
        var places = new Dictionary<string, string>(StringComparer.Ordinal);
        var rows =
            from file in files
            from row in EndsIn(file, CsvRows.Endings) ? CsvRows.Read(file) : JsonLines.Read(file)
            select Questions(options, row, places, files.Length > 1 ? $"{Stem(file)}-" : "");
        OwnQuestion[] questions = [.. rows.Take(options.Limit ?? int.MaxValue).SelectMany(all => all)];
        return questions.Length > 0 ? questions : throw new ConfigException($"{options.Data}: has no rows");
    }

    private static string[] Files(string data)
    {
        if (!Directory.Exists(data)) return [data];
        string[] files =
        [
            .. Directory.EnumerateFiles(data)
                .Where(file => EndsIn(file, Endings))
                .Order(StringComparer.Ordinal),
        ];
        return files.Length > 0 ? files : throw new ConfigException($"{data}: has no file that ends in {string.Join(" or ", Endings)}");
    }

    private static bool EndsIn(string file, string[] endings) =>
        Array.Exists(endings, ending => file.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    private static string Stem(string file) => Path.GetFileNameWithoutExtension(
        file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? file[..^3] : file);

    // A row is valid only until the next is read.
    private static OwnQuestion[] Questions(OwnOptions options, JsonRow row, Dictionary<string, string> places, string prefix)
    {
        var id = prefix + (options.Id is { } field ? One(row, field) : row.Line.ToString(CultureInfo.InvariantCulture));
        var place = string.Create(CultureInfo.InvariantCulture, $"{row.File}:{row.Line}");
        if (!places.TryAdd(id, place))
            throw new ConfigException(
                $"{place}: the id '{OneLine.Of(id)}' is that of {places[id]} too; allowed: an id of its own for each row");
        var classes = options.Classes is { } names ? row.Texts(names) : [];
        var variables = row.Fields().ToDictionary(name => name, name => (object?)row.Find(name));
        if (options.Questions is not { } list)
            return [new(id, Render(variables), AnswersOf(row, options, classes, value => value), classes)];

        var questions = Elements(row, list);
        foreach (var answers in options.Answers)
        {
            if (Elements(row, answers).Length is var count && count != questions.Length)
                throw row.Error(answers, $"has {CountText.Of(count, "item")} for the {questions.Length} of '{list}'; it must have as many");
        }
        return
        [
            .. questions.Select((question, index) => new OwnQuestion(
                string.Create(CultureInfo.InvariantCulture, $"{id}-{index}"),
                Render(new Dictionary<string, object?>(variables) { ["question"] = question, ["index"] = index }),
                AnswersOf(row, options, classes, value => value[index]),
                classes)),
        ];

        string Render(IReadOnlyDictionary<string, object?> values)
        {
            try
            {
                return options.Prompt.Render(values);
            }
            catch (ConfigException problem)
            {
                throw new ConfigException($"{place}: {problem.Message}", problem);
            }
            catch (InvalidOperationException problem)
            {
                throw new ConfigException($"{place}: a text has half of a surrogate pair", problem);
            }
        }
    }

    private static string One(JsonRow row, string field) =>
        JsonRow.TextOf(row.Find(field) ?? throw row.Error(field, "is missing")) ?? throw row.Error(field, "must be a text or a number");

    private static JsonElement[] Elements(JsonRow row, string field) =>
        row.Find(field) is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray()] : throw row.Error(field, "must be a list");

    // Texts and numbers, of lists all of theirs.
    private static string[] AnswersOf(
        JsonRow row, OwnOptions options, IReadOnlyList<string> classes, Func<JsonElement, JsonElement> part)
    {
        var fields = string.Join("', '", options.Answers);
        string[] answers =
        [
            .. from field in options.Answers
               let value = row.Find(field) ?? throw row.Error(field, "is missing")
               from answer in Texts(row, field, part(value))
               select answer,
        ];
        if (answers.Length == 0) throw row.Error(fields, "has no answer");
        var score = OwnMetric.Of(options.Metrics[0]);
        if (!score.CanFind(answers, classes))
            throw row.Error(fields, $"has '{OneLine.Of(answers[0])}', which the metric {score.Name} never finds; allowed: {score.Form}");
        // Of a table with a column for each of several answers some are empty.
        return Array.FindAll(answers, answer => answer.Length > 0) is { Length: > 0 } written ? written : answers;
    }

    private static IEnumerable<string> Texts(JsonRow row, string field, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => [],
        JsonValueKind.Array => value.EnumerateArray().SelectMany(item => Texts(row, field, item)),
        _ => [JsonRow.TextOf(value) ?? throw row.Error(field, "must be a text, a number or a list of them")],
    };
}
