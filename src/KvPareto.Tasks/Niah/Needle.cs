using KvPareto.Tasks.Metrics;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Niah;

/// <summary>A sentence to hide in a text, and how to ask for it.</summary>
/// <param name="Name">Short name, used in sample ids; letters, digits, '-' and '_'.</param>
/// <param name="Text">What is put into the text, line feeds included.</param>
/// <param name="Question">The question after the text.</param>
/// <param name="KeyPhrases">What a full answer says; the score is the share of these that it holds.</param>
public sealed record Needle(string Name, string Text, string Question, IReadOnlyList<string> KeyPhrases)
{
    /// <summary>The needle of the original test (github.com/gkamradt/LLMTest_NeedleInAHaystack).</summary>
    public static Needle Sandwich { get; } = new(
        "sandwich",
        "\nThe best thing to do in San Francisco is eat a sandwich and sit in Dolores Park on a sunny day.\n",
        "What is the best thing to do in San Francisco?",
        ["eat a sandwich", "Dolores Park", "sunny day"]);

    /// <summary>The needles that a config may name; the first is the default.</summary>
    public static IReadOnlyList<Needle> BuiltIn { get; } =
    [
        Sandwich,
        new(
            "archive-code",
            "\nThe access code of the Hartwell archive is 73915.\n",
            "What is the access code of the Hartwell archive?",
            ["73915"]),
        new(
            "lighthouse",
            "\nThe keeper of the Brindle Point lighthouse is Marta Quillfeather, who has kept it for 26 years.\n",
            "Who is the keeper of the Brindle Point lighthouse, and for how many years?",
            ["Marta Quillfeather", "26"]),
    ];

    /// <summary>A built-in needle by name.</summary>
    /// <exception cref="ConfigException">There is none of that name; lists those there are.</exception>
    public static Needle Named(string name) => BuiltIn.FirstOrDefault(needle => needle.Name == name) ?? throw new ConfigException(
        $"task niah: key 'needles' has no needle '{name}'; allowed are {string.Join(", ", BuiltIn.Select(needle => needle.Name))}");

    /// <summary>The prompt over a text that holds the needle, before any chat template.</summary>
    internal string PromptOver(string text) =>
        $"Read this text and answer the question after it.\n\n{text}\n\n{Question} Answer in one sentence.";

    /// <summary>Share of the key phrases that <paramref name="prediction"/> holds, 0 to 1, whatever their case and blanks.</summary>
    /// <exception cref="ScoreBudgetException">There are too many, and the text is too long.</exception>
    public static double Score(string prediction, IReadOnlyList<string> keyPhrases)
    {
        var (text, budget) = (Plain(prediction), new ScoreBudget());
        var found = keyPhrases.Count(phrase => budget.Holds(text, Plain(phrase)));
        return keyPhrases.Count == 0 ? 0 : (double)found / keyPhrases.Count;
    }

    // Texts are alike to StringComparison.OrdinalIgnoreCase where their capitals are.
    private static string Plain(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).ToUpperInvariant();
}
