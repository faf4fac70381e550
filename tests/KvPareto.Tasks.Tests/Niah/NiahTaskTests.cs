using KvPareto.Tasks.Niah;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Tests.Niah;

public class NiahTaskTests
{
    private const string Sentences = "One is here. Two is there. Three é 😀 is far! Four is near.\n\n";

    [Fact]
    public void Prepare_FillsEachLengthAtEachDepth()
    {
        using var folder = new ScratchFolder();
        var task = new NiahTask(new NiahOptions
        {
            Folder = folder.Write("hay.txt", Sentences),
            Lengths = [400, 777],
            Depths = [0, 37.5, 100],
            Needles = Needle.BuiltIn,
        });
        var context = ByteTokenizer.Context(folder, 777, chat: true);
        var samples = task.Prepare(context);

        Assert.Equal(18, samples.Count);
        Assert.Equal(18, samples.Select(sample => sample.Id).Distinct().Count());
        Assert.Equal("sandwich-400-37.5", samples[1].Id);
        foreach (var sample in samples)
        {
            var length = sample.Id.Contains("-400-", StringComparison.Ordinal) ? 400 : 777;
            Assert.InRange(sample.PromptIds.Length, length - 3, length); // a cut within a character of four bytes
            var text = context.Tokenizer.Decode(sample.PromptIds);
            Assert.DoesNotContain('\uFFFD', text);
            var needle = Needle.Named(sample.Id[..sample.Id.IndexOfAny(['4', '7'])].TrimEnd('-'));
            Assert.Contains(needle.Text, text, StringComparison.Ordinal);
            Assert.Equal(1, task.Score(sample, needle.Text));
            Assert.Equal(0, task.Score(sample, "no idea"));
        }
        Assert.Equal(samples.Select(sample => sample.PromptIds), task.Prepare(context).Select(sample => sample.PromptIds));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(19, 0)]
    [InlineData(20, 12)]
    [InlineData(42, 12)]
    [InlineData(43, 26)]
    [InlineData(80, 26)] // the '!' before it ends no sentence
    [InlineData(99.9, 59)]
    [InlineData(100, 61)]
    public void Needle_GoesAfterTheLastFullStopBeforeItsDepth(double depth, int expected)
    {
        using var folder = new ScratchFolder();
        var text = Sentences.Replace("é 😀", "aaaa", StringComparison.Ordinal);
        var haystack = new HaystackTokens(ByteTokenizer.Context(folder, 100).Tokenizer, text, text.Length);
        Assert.Equal(text.Insert(expected, "|"), haystack.WithNeedle(text.Length, depth, "|"));
    }

    [Fact]
    public void Haystack_IsRepeatedWhereItIsShort()
    {
        using var folder = new ScratchFolder();
        var haystack = new HaystackTokens(ByteTokenizer.Context(folder, 100).Tokenizer, "Ab. ", 10);
        Assert.Equal("Ab. Ab. Ab|", haystack.WithNeedle(10, 100, "|"));
    }

    [Fact]
    public void Length_MustFitModelAndQuestion()
    {
        using var folder = new ScratchFolder();
        var hay = folder.Write("hay.txt", Sentences);
        Refuses(new NiahOptions { Folder = hay, Lengths = [300, 500] }, "'lengths' has 500; the model has room for prompts of up to 499");
        Refuses(new NiahOptions { Folder = hay, Lengths = [100] }, "'lengths' has 100; question and needle alone take");

        void Refuses(NiahOptions options, string expected)
        {
            var context = ByteTokenizer.Context(folder, 499);
            var error = Assert.Throws<ConfigException>(() => new NiahTask(options).Prepare(context));
            Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Digest_FollowsTextAndGrid()
    {
        using var folder = new ScratchFolder();
        var options = new NiahOptions { Folder = folder.Write("hay.txt", Sentences), Lengths = [400] };
        var digests = new[]
        {
            options, options with { Lengths = [401] }, options with { Depths = [50] }, options with { Needles = [Needle.BuiltIn[1]] },
            options with { MaxNewTokens = 33 }, options with { Folder = folder.Write("other.txt", "Another text.") },
        }.Select(each => new NiahTask(each).Digest);
        Assert.Equal(6, digests.Distinct().Count());
        var copy = options with { Folder = folder.Write("copy.txt", Sentences) };
        Assert.Equal(new NiahTask(options).Digest, new NiahTask(copy).Digest);
    }

    [Fact]
    public void Options_AreCheckedByKey()
    {
        var fine = new NiahOptions { Folder = "essays", Lengths = [1000] };
        fine.Validate();
        Refuses(fine with { Folder = "" }, "'folder'");
        Refuses(fine with { MaxNewTokens = 0 }, "'max_new_tokens' is 0");
        Refuses(fine with { Lengths = [] }, "'lengths' is empty");
        Refuses(fine with { Lengths = [63] }, "'lengths' has 63; allowed are whole numbers of tokens from 64");
        Refuses(fine with { Lengths = [int.MaxValue] }, "'lengths' has 2147483647");
        Refuses(fine with { Lengths = [500, 500] }, "'lengths' has a value twice");
        Refuses(fine with { Depths = [0, 100.5] }, "'depths' has 100.5");
        Refuses(fine with { Depths = [double.NaN] }, "'depths' has NaN");
        Refuses(fine with { Needles = [Needle.Sandwich with { Name = "a b" }] }, "'needles' has a b");
        Refuses(fine with { Needles = [Needle.Sandwich with { KeyPhrases = [] }] }, "without text, question or key phrases");
        Refuses(fine with { Lengths = [.. Enumerable.Range(100, 3000)] }, "makes 15000 samples");

        static void Refuses(NiahOptions options, string expected) =>
            Assert.Contains(expected, Assert.Throws<ConfigException>(options.Validate).Message, StringComparison.Ordinal);
    }
}
