using System.Text;
using System.Text.Json.Nodes;
using KvPareto.Text.Tokenizers;

namespace Fuzz;

/// <summary>Splitting patterns: nested and stacked quantifiers, long alternations, sets of all sorts.</summary>
internal sealed class Patterns : HostileKind
{
    private static readonly string[] Atoms =
    [
        "a", "aa", "b", ".", "\\s", "\\S", "\\w", "\\d", "\\p{L}", "\\p{N}", "\\P{Lu}", "[a-z]", "[^a]", "[\\p{L}&&[^a]]", "(?i:s)",
            "(?=a)", "(?!b)", "(?<=a)", "^", "$", "\\b", "😀", "[𐐀-𐑏]",
        "\\x41", "[[:alpha:]]", "(?>a|ab)", "\\u00e9", "é", " ", "'", "|", "(", ")", "[", "\\",
    ];

    public override string Name => "patterns";

    public override void Run(Random random, string folder)
    {
        var file = TokenizerFile.Make();
        var key = Pick(random, "Regex", "Regex", "Regex", "Regex", "String");
        file["pre_tokenizer"] = new JsonObject
        {
            ["type"] = "Sequence",
            ["pretokenizers"] = new JsonArray(
                new JsonObject
                {
                    ["type"] = "Split",
                    ["pattern"] = new JsonObject { [key] = Rarely(random, 6) ? Repeated(random) : Pattern(random, 0) },
                    ["behavior"] = Pick(random, "Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"),
                    ["invert"] = Rarely(random, 3),
                },
                new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = false }),
        };
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), file.ToJsonString());
        Tokenizer.Load(folder).Encode(HostileText.Make(random, Rarely(random, 20) ? 1 << 18 : 1 << 12));
    }

    private static string Repeated(Random random) =>
        string.Concat(Enumerable.Repeat(Pick<string>(random, Atoms) + Pick(random, "", "?", "*", "+", "{2}", "|"), random.Next(1, 3000)));

    private static string Pattern(Random random, int depth)
    {
        var text = new StringBuilder();
        for (var left = random.Next(1, 4); left > 0; left--)
        {
            text.Append(depth < 4 && Rarely(random, 3) ? $"(?:{Pattern(random, depth + 1)})" : Pick<string>(random, Atoms));
            text.Append(Pick(random, "", "", "", "?", "*", "+", "*?", "++", "{2}", "{1,3}", "{0,999}", "|"));
        }
        return text.ToString();
    }
}
