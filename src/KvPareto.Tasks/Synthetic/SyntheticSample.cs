using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Synthetic;

/// <summary>One generated question as a row of LongBench's JSONL form.</summary>
public sealed record SyntheticSample
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The question.</summary>
    public required string Input { get; init; }

    /// <summary>The text that holds the answer.</summary>
    public required string Context { get; init; }

    /// <summary>The right answer: one word, or up to three digits.</summary>
    public required string Answer { get; init; }

    /// <summary>What the embedded models learned to write: the answer, or a sentence that ends with it.</summary>
    public required string Reply { get; init; }

    /// <summary>Name of the kind: fact, two-hop, count, label.</summary>
    public required string Dataset { get; init; }

    /// <summary>All labels of a label question; else empty.</summary>
    public required IReadOnlyList<string> AllClasses { get; init; }

    /// <summary>Kind, seed, length and index, so that the row can be made again.</summary>
    public required string Id { get; init; }

    /// <summary>Where the answer's sentence stands, 0 to 1; NaN where the evidence is spread over the whole text.</summary>
    public required double Depth { get; init; }

    /// <summary>What the model reads, without a beginning-of-sequence token; the reply follows after a space.</summary>
    public string Prompt => SyntheticPrompt.Of(Context, Input);

    /// <summary>The samples of a task, in order.</summary>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    public static IEnumerable<SyntheticSample> Generate(SyntheticOptions options)
    {
        options.Validate();
        return GenerateAll(options);
    }

    /// <summary>
    /// The row as one line of JSON without its line end: <c>input, context, answers, length, dataset, language, all_classes, _id</c>.
    /// <c>length</c> is LongBench's: the words of the other texts.
    /// </summary>
    public string ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(Context.Length + 512);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteString("input", Input);
            writer.WriteString("context", Context);
            writer.WriteStartArray("answers");
            writer.WriteStringValue(Answer);
            writer.WriteEndArray();
            writer.WriteNumber("length", WordCount(Input) + WordCount(Context) + WordCount(Answer));
            writer.WriteString("dataset", Dataset);
            writer.WriteString("language", "en");
            WriteClasses(writer);
            writer.WriteString("_id", Id);
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static IEnumerable<SyntheticSample> GenerateAll(SyntheticOptions options)
    {
        var generator = new DocumentGenerator();
        var name = SyntheticKindNames.Of(options.Kind);
        for (var index = 0; index < options.Count; index++)
        {
            var document = generator.Generate(options.Kind, options.Seed, index, options.Length);
            yield return new SyntheticSample
            {
                Input = document.Questions[0].Question,
                Context = document.Context,
                Answer = document.Questions[0].Answer,
                Reply = document.Questions[0].Reply,
                Dataset = name,
                AllClasses = document.Classes,
                Id = string.Create(CultureInfo.InvariantCulture, $"{name}-{options.Seed}-{options.Length}-{index}"),
                Depth = document.Depth,
            };
        }
    }

    private static int WordCount(string text) => text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Length;

    private void WriteClasses(Utf8JsonWriter writer)
    {
        if (AllClasses.Count == 0)
        {
            writer.WriteNull("all_classes");
            return;
        }
        writer.WriteStartArray("all_classes");
        foreach (var name in AllClasses) writer.WriteStringValue(name);
        writer.WriteEndArray();
    }
}
