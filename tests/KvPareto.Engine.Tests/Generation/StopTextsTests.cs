using System.Text;
using KvPareto.Cpu;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Testing;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Engine.Tests.Generation;

/// <summary>One token a byte: a stop text always comes in pieces.</summary>
public class StopTextsTests
{
    [Theory]
    [InlineData("4 apples\nQuestion: next", 18)]
    [InlineData("QQuestion:", 10)]
    [InlineData("QuestionQuestion:é", 17)]
    [InlineData("Question 4: é", -1)]
    [InlineData("a|b|c", 2)]
    public void Push_SaysWhereTheFirstTextIsWhole(string text, int expected)
    {
        using var folder = new ScratchFolder();
        var stops = new StopTexts(Bytes(folder), ["Question:", "|"]);
        var first = Array.FindIndex(Encoding.UTF8.GetBytes(text), id => stops.Push(id));
        Assert.Equal(expected, first + (first < 0 ? 0 : 1));
    }

    [Fact]
    public void Push_SeesSpecialTokens()
    {
        using var folder = new ScratchFolder();
        var stops = new StopTexts(Bytes(folder), ["<s>"]);
        Assert.Equal([false, true], new[] { stops.Push('s'), stops.Push(ByteTokenizerFile.Bos) });
    }

    [Theory]
    [InlineData("4 apples\nQuestion: next|", "4 apples\n")]
    [InlineData("a|b Question:", "a")]
    [InlineData("Question:", "")]
    [InlineData("no question", "no question")]
    public void Cut_KeepsWhatStandsBefore(string answer, string expected)
    {
        using var folder = new ScratchFolder();
        Assert.Equal(expected, new StopTexts(Bytes(folder), ["Question:", "|"]).Cut(answer));
    }

    [Fact]
    public void Generate_EndsWithTheTokenThatCompletesAText()
    {
        using var folder = new ScratchFolder();
        new TinyModel { Family = "llama", Vocabulary = ByteTokenizerFile.VocabularySize }.Write(folder["model"]);
        folder.Write("model/tokenizer.json", ByteTokenizerFile.Json());
        using var backend = new CpuBackend(1);
        using var model = LanguageModel.Load(backend, folder["model"], WeightSpec.Full);
        var generator = new Generator(model.Transformer, new InferenceSetting());
        var free = generator.Generate([1, 2, 3], 24).Ids;
        Assert.Equal(24, free.Length);

        // The text of tokens 8 and 9 (whatever a random model says) as the stop.
        var text = Enumerable.Range(0, 24).Select(count => model.Tokenizer.Decode(free.AsSpan(0, count), skipSpecialTokens: false))
            .ToArray();
        var stop = text[10][text[8].Length..];
        Assert.NotEmpty(stop);
        var ended = generator.Generate([1, 2, 3], 24, stopTexts: new StopTexts(model.Tokenizer, [stop])).Ids;
        var expected = Array.FindIndex(text, so => so.Contains(stop, StringComparison.Ordinal));
        Assert.InRange(expected, 1, 10);
        Assert.Equal(free[..expected], ended);
    }

    private static Tokenizer Bytes(ScratchFolder folder)
    {
        folder.Write("tokenizer.json", ByteTokenizerFile.Json());
        return Tokenizer.Load(folder.Root);
    }
}
