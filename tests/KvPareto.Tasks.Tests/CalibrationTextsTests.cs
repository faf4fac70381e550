using KvPareto.Testing;
using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Tasks.Tests;

public class CalibrationTextsTests
{
    [Fact]
    public void Read_TakesTheFirstTokensOfTheFirstRows()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write(
            "texts.jsonl", "{\"text\":\"other\",\"context\":\"abcdef\"}\n\n{\"text\":\"xy\"}\n{\"text\":\"\"}\n{\"text\":\"z\"}\n");
        Assert.Equal(["abcd", "xy"], Read(folder, file, samples: 3, tokens: 4));
        Assert.Equal(["abcdef", "xy", "z"], Read(folder, file, samples: 9, tokens: 9));
    }

    [Fact]
    public void Read_CutsPlainTextIntoPieces()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("text.txt", "abcdefg");
        Assert.Equal(["abc", "def"], Read(folder, file, samples: 2, tokens: 3));
        Assert.Equal(["abc", "def", "g"], Read(folder, file, samples: 64, tokens: 3));
    }

    [Theory]
    [InlineData("a.jsonl", "{\"input\":\"x\"}\n", "a.jsonl:1: field 'text' is missing")]
    [InlineData("a.jsonl", "{\"context\":3}\n", "a.jsonl:1: field 'context' must be a string")]
    [InlineData("a.jsonl", "nothing\n", "a.jsonl:1: not valid JSON")]
    [InlineData("a.jsonl", "\n", "a.jsonl: holds no text")]
    [InlineData("a.txt", "", "a.txt: holds no text")]
    public void Read_RefusesWhatHoldsNoText(string name, string content, string expected)
    {
        using var folder = new ScratchFolder();
        var error = Assert.Throws<ConfigException>(() => Read(folder, folder.Write(name, content), 4, 4));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_RefusesAMissingFile()
    {
        using var folder = new ScratchFolder();
        var error = Assert.Throws<ConfigException>(() => Read(folder, Path.Combine(folder.Root, "none.jsonl"), 4, 4));
        Assert.EndsWith("none.jsonl: no such file", error.Message, StringComparison.Ordinal);
    }

    private static string[] Read(ScratchFolder folder, string file, int samples, int tokens)
    {
        folder.Write("tokenizer.json", ByteTokenizerFile.Json());
        var tokenizer = Tokenizer.Load(folder.Root);
        return [.. CalibrationTexts.Read(file, tokenizer, samples, tokens).Select(ids => tokenizer.Decode(ids))];
    }
}
