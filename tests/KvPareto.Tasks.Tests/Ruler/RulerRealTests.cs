using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using KvPareto.Tasks.Ruler;
using KvPareto.Testing;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Tasks.Tests.Ruler;

/// <summary>RULER with a real tokenizer, and against a file that RULER made.</summary>
public class RulerRealTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(4096)]
    [InlineData(32_768)]
    public void Prompts_FillTheLengthByARealTokenizer(int length)
    {
        var tokenizer = Tokenizer.Load(TestData.SharedOrSkip("tokenizers", "llama3.1"));
        var essays = TestData.SharedOrSkip("data", "niah");
        foreach (var kind in RulerKind.All)
        {
            var clock = Stopwatch.StartNew();
            var haystack = Path.Combine(essays, "PaulGrahamEssays");
            var options = new RulerOptions { Kind = kind.Name, Length = length, Samples = 1, Haystack = haystack };
            var sample = new RulerTask(options).Prepare(new(tokenizer, null, int.MaxValue))[0];
            var free = length - sample.PromptIds.Length - sample.MaxNewTokens;
            output.WriteLine($"{kind.Name} {length}: {free} free, {clock.ElapsedMilliseconds} ms");
            Assert.InRange(free, 0, kind.Name switch { "niah_multikey_3" => 90, "fwe" or "cwe" => 40, _ => 30 });
        }
    }

    /// <summary>The same frame and the same lines, but for the keys and values.</summary>
    [Fact]
    public void Uuids_HaveTheFormOfRulersOwnFile()
    {
        using var folder = new ScratchFolder();
        var file = Path.Combine(TestData.SharedOrSkip("data", "ruler"), "4096", "niah_multikey_3.jsonl");
        using var row = JsonDocument.Parse(File.ReadLines(file).First());
        var context = ByteTokenizer.Context(folder, 100_000);
        var mine = new RulerTask(new RulerOptions { Kind = "niah_multikey_3", Length = 6000, Samples = 1 }).Prepare(context)[0];
        Assert.Equal(Form(row.RootElement.GetProperty("input").GetString()!), Form(context.Tokenizer.Decode(mine.PromptIds)));

        static string[] Form(string text) =>
            [.. Regex.Replace(text, "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "U").Split('\n').Distinct()];
    }
}
