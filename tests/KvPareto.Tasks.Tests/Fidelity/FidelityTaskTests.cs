using KvPareto.Tasks.Fidelity;
using KvPareto.Tasks.Predictions;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Tests.Fidelity;

public class FidelityTaskTests
{
    private const string Text = "0123456789abcdefghij";

    [Fact]
    public void Prepare_CutsTheFirstTokensIntoWindows_WithoutSpecialTokens()
    {
        using var folder = new ScratchFolder();
        var samples = Task(folder, tokens: 12, window: 4).Prepare(ByteTokenizer.Context(folder, 1000));
        Assert.Equal(["0", "1", "2"], samples.Select(sample => sample.Id));
        Assert.Equal(["0123", "4567", "89ab"], samples.Select(sample => new string([.. sample.PromptIds.Select(id => (char)id)])));
        Assert.All(samples, sample => Assert.Equal((SampleKind.Compare, 0), (sample.Kind, sample.MaxNewTokens)));
    }

    [Fact]
    public void Score_IsTop1Agreement()
    {
        using var folder = new ScratchFolder();
        var task = Task(folder, tokens: 12, window: 4);
        var sample = task.Prepare(ByteTokenizer.Context(folder, 1000))[0];
        Assert.Equal(0.75, task.Score(sample, new FidelityPrediction(new(20, 19, 0.1, 0.1, 0.1, 0.1, 0.75, 18, 0.1), 4.5, 90, [0.1f])));
        Assert.Throws<FormatException>(() => task.Score(sample, new TextPrediction("yes")));
    }

    /// <summary>Agreement with a model's own run says nothing about another model.</summary>
    [Fact]
    public void DigestOf_IsAnotherForEachModel()
    {
        using var folder = new ScratchFolder();
        var task = Task(folder, 12, 4);
        Assert.Equal(task.DigestOf("a"), Task(folder, 12, 4).DigestOf("a"));
        Assert.NotEqual(task.DigestOf("a"), task.DigestOf("b"));
        Assert.NotEqual(task.DigestOf("a"), Task(folder, 12, 6).DigestOf("a"));
    }

    [Fact]
    public void Digest_IsThatOfTextAndWindows()
    {
        using var folder = new ScratchFolder();
        var digest = Task(folder, 12, 4).Digest;
        Assert.Equal(digest, Task(folder, 12, 4).Digest);
        Assert.NotEqual(digest, Task(folder, 16, 4).Digest);
        Assert.NotEqual(digest, Task(folder, 12, 6).Digest);
        folder.Write("text.txt", Text + "!");
        Assert.NotEqual(digest, new FidelityTask(Options(folder, 12, 4)).Digest);
    }

    [Theory]
    [InlineData(24, 4, "has 20 tokens")]
    [InlineData(10, 4, "a multiple of the window of 4")]
    [InlineData(0, 4, "tokens 0")]
    [InlineData(4, 1, "window 1")]
    public void RefusesWhatCannotBeMeasured(int tokens, int window, string expected)
    {
        using var folder = new ScratchFolder();
        var error = Assert.Throws<ConfigException>(() => Task(folder, tokens, window).Prepare(ByteTokenizer.Context(folder, 1000)));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void RefusesAFileThatIsNoText()
    {
        using var folder = new ScratchFolder();
        var missing = Assert.Throws<ConfigException>(() => FidelityText.Read(Path.Combine(folder.Root, "none"), 8));
        Assert.Contains("no such file", missing.Message, StringComparison.Ordinal);
        var path = Path.Combine(folder.Root, "binary");
        File.WriteAllBytes(path, [65, 0xFF, 0xFE, 66]);
        var binary = Assert.Throws<ConfigException>(() => FidelityText.Read(path, 8));
        Assert.Contains("not valid UTF-8", binary.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Windows_WithoutANumberOfTokens_AreAsManyAsTheTextHas()
    {
        using var folder = new ScratchFolder();
        folder.Write("text.txt", Text);
        var text = FidelityText.Read(Path.Combine(folder.Root, "text.txt"), 1000);
        var tokenizer = ByteTokenizer.Context(folder, 1000).Tokenizer;
        Assert.Equal(2, text.Windows(tokenizer, null, 8).Count);
        var error = Assert.Throws<ConfigException>(() => text.Windows(tokenizer, null, 21));
        Assert.Contains("21 or more", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_TakesNoMoreThanTheTokensCanNeed_AndNeverHalfACharacter()
    {
        using var folder = new ScratchFolder();
        folder.Write("text.txt", "a" + string.Concat(Enumerable.Repeat("😀", 100)));
        Assert.Equal("a" + string.Concat(Enumerable.Repeat("😀", 15)), FidelityText.Read(Path.Combine(folder.Root, "text.txt"), 2).Text);
    }

    private static FidelityTask Task(ScratchFolder folder, int tokens, int window)
    {
        folder.Write("text.txt", Text);
        return new(Options(folder, tokens, window));
    }

    private static FidelityOptions Options(ScratchFolder folder, int tokens, int window) =>
        new() { File = Path.Combine(folder.Root, "text.txt"), Tokens = tokens, Window = window };
}
