using System.Text.Json;
using KvPareto.Tasks.Niah;
using KvPareto.Testing;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Tasks.Tests.Niah;

public class NeedleTests
{
    [Theory]
    [InlineData("Eat a  sandwich\nand sit in DOLORES PARK on a sunny day.", 1)]
    [InlineData("Sit in Dolores Park.", 1.0 / 3)]
    [InlineData("I don't know.", 0)]
    [InlineData("", 0)]
    public void Score_IsTheShareOfKeyPhrases(string prediction, double expected) =>
        Assert.Equal(expected, Needle.Score(prediction, Needle.Sandwich.KeyPhrases), 12);

    [Fact]
    public void BuiltIn_AnswersItselfAndDoesNotGiveTheAnswerAway()
    {
        Assert.All(Needle.BuiltIn, needle => Assert.Equal(1, Needle.Score(needle.Text, needle.KeyPhrases)));
        Assert.All(Needle.BuiltIn, needle => Assert.Equal(0, Needle.Score(needle.Question, needle.KeyPhrases)));
        Assert.All(Needle.BuiltIn, needle => Assert.Same(needle, Needle.Named(needle.Name)));
        Assert.Contains(
            "sandwich, archive-code", Assert.Throws<ConfigException>(() => Needle.Named("hay")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PromptOver_GivesThePromptsOfTheReferenceRuns()
    {
        var model = TestData.SmolLm2OrSkip();
        var essays = Haystack.Read(TestData.SharedOrSkip("data", "niah", "PaulGrahamEssays"));
        var (tokenizer, template) = (Tokenizer.Load(model), ChatTemplate.Load(model)!);
        var seen = 0;
        foreach (var line in File.ReadLines(TestData.SharedOrSkip("golden", "smollm2", "generations.jsonl")))
        {
            using var document = JsonDocument.Parse(line);
            var row = document.RootElement;
            if (row.GetProperty("kind").GetString() != "needle") continue;
            var prompt = ReferencePrompt.Of(
                essays, row.GetProperty("chars").GetInt32(), row.GetProperty("depth").GetDouble());
            var ids = tokenizer.Encode(template.Render([new ChatMessage("user", prompt)]), addSpecialTokens: false);
            Assert.Equal(row.GetProperty("prompt_tokens").GetInt32(), ids.Length);
            seen++;
        }
        Assert.Equal(10, seen);
    }
}
