using KvPareto.Tasks.Metrics.Chinese;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Tests.Metrics.Chinese;

public class JiebaFileTests
{
    [Theory]
    [InlineData("北京 3\n大学", ":2: is no word with a frequency; allowed: a word, a space and its frequency")]
    [InlineData("北京 3\n\n大学 2", ":2: is no word with a frequency")]
    [InlineData("北京 -3 n", ":1: has no frequency from 0 to 2147483647 after its word; allowed: a word")]
    [InlineData("北京 2147483648", ":1: has no frequency")]
    [InlineData("北京  3", ":1: has no frequency")]
    [InlineData("北京 3.5", ":1: has no frequency")]
    [InlineData("北京 0\n", ": has no word with a frequency; allowed: ")]
    [InlineData("", ": has no word with a frequency; allowed: ")]
    public void DamagedDictionary_IsNamedByLine(string dictionary, string expected) =>
        Refuses(folder => TinyJieba.Write(folder, dictionary), "dict.txt", expected);

    [Fact]
    public void HostileDictionary_IsRefusedWithinBounds()
    {
        var longWord = new string('北', WordTree.MaxWordLength + 1);
        Refuses(folder => TinyJieba.Write(folder, $"北 1\n{longWord} 1"), "dict.txt", ":2: has a word of 65 characters; allowed: up to 64");
        Refuses(folder => Write(folder, [.. "a 1\n"u8, 0xE5, 0x8C, (byte)' ', (byte)'1']), "dict.txt", ":2: is not UTF-8; allowed: ");
        Refuses(folder => Write(folder, new byte[JiebaFile.MaxBytes + 1]), "dict.txt", "; allowed: up to 16777216");
        Refuses(folder =>
            Write(folder, ManyBeginnings()), "dict.txt", $"is one word too many; allowed: {WordTree.MaxNodes} beginnings of words");

        static void Write(ScratchFolder folder, byte[] dictionary)
        {
            TinyJieba.Write(folder);
            folder.Write("dict.txt", dictionary);
        }
    }

    [Theory]
    [InlineData("{\"start\": {\"B\"", ":1: is not jieba's model at byte 14; allowed: {\"start\"")]
    [InlineData("\n[1]", ":2: is not jieba's model at byte 1;")]
    [InlineData("null", ":1: is not jieba's model")]
    [InlineData("{}", "is not jieba's model")]
    [InlineData("{\"start\": {\"\\uD800\": 1}}", "is not jieba's model")]
    public void DamagedModel_IsNamedByLine(string model, string expected) =>
        Refuses(folder => TinyJieba.Write(folder, model: model), "hmm.json", expected);

    [Theory]
    [InlineData("\"S\": -1.5}", "\"T\": -1.5}", ": key 'start.S' is missing; allowed: {\"start\"")]
    [InlineData("-1.5}", "0.5}", ": key 'start' has a number that is no log probability; allowed: -3.14E+100 to 0")]
    [InlineData("-1.5}", "-1e999}", ": key 'start' has a number that is no log probability")]
    [InlineData("-1.5}", "\"-1.5\"}", ":1: is not jieba's model at byte ")]
    [InlineData("\"M\": -1.25", "\"M\": 1.25", ": key 'transition.M' has a number")]
    [InlineData("{\"小\": -4, \"明\": -5}", "null", ": key 'emission.M' is missing")]
    [InlineData("\"张\": -5", "\"张伟\": -5", ": key 'emission.S' has a key of 2 characters; allowed: one character")]
    [InlineData("\"张\": -5", "\"张\": 5", ": key 'emission.S' has a number")]
    [InlineData("\"emission\"", "\"omission\"", ":3: is not jieba's model")]
    public void DamagedModel_IsNamedByKey(string good, string bad, string expected) =>
        DamagedModel_IsNamedByLine(TinyJieba.Model.Replace(good, bad, StringComparison.Ordinal), expected);

    [Fact]
    public void MissingFolderOrFile_IsNamed()
    {
        var missing = Assert.Throws<ConfigException>(() => ChineseSegmenter.Open("none"));
        Assert.Equal("jieba: 'none' is no folder; allowed: a folder with jieba's dict.txt and hmm.json", missing.Message);
        Refuses(folder => folder.Write("hmm.json", TinyJieba.Model), "dict.txt", ": no such file");
        Refuses(folder => folder.Write("dict.txt", TinyJieba.Dictionary), "hmm.json", ": no such file");
    }

    private static void Refuses(Action<ScratchFolder> write, string file, string expected)
    {
        using var folder = new ScratchFolder();
        write(folder);
        var error = Assert.Throws<ConfigException>(() => ChineseSegmenter.Open(folder.Root));
        Assert.StartsWith(Path.Combine(folder.Root, file) + ":", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    /// <summary>Words that share no beginning: each has a letter of its own, then as many nodes as a word may have.</summary>
    private static byte[] ManyBeginnings()
    {
        var rest = new string('a', WordTree.MaxWordLength - 2);
        var words = Enumerable.Range(0, WordTree.MaxNodes / (WordTree.MaxWordLength - 1) + 1)
            .Select(i => $"{(char)('!' + i / 5000)}{(char)(0x4E00 + i % 5000)}{rest} 1\n");
        return System.Text.Encoding.UTF8.GetBytes(string.Concat(words));
    }
}
