using KvPareto.Cpu;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Tasks.Synthetic;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Tests.Synthetic;

public class SyntheticTaskTests
{
    /// <summary>What the models are for: at 16 bits they answer nearly every held-out question.</summary>
    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("mistral")]
    public void EmbeddedModel_AnswersHeldOutQuestions(string family)
    {
        const int samples = 10;
        using var backend = new CpuBackend();
        using var model = LanguageModel.Load(backend, Path.Combine(TestData.RepositoryRoot, "models", family), WeightSpec.Full);
        var generator = new Generator(model.Transformer, new InferenceSetting { Chunk = 256 });
        foreach (var kind in Enum.GetValues<SyntheticKind>())
        {
            var task = new SyntheticTask(new SyntheticOptions { Kind = kind, Count = samples, Length = 300, Seed = 11 });
            var prepared = task.Prepare(new PromptContext(model.Tokenizer, model.ChatTemplate, 1024));
            Assert.Equal(samples, prepared.Count);
            var right = prepared.Sum(sample =>
            {
                var ids = generator.Generate(sample.PromptIds, sample.MaxNewTokens, sample.StopIds).Ids;
                return task.Score(sample, model.Tokenizer.Decode(ids));
            });
            Assert.InRange(right, 0.9 * samples, samples);
        }
    }

    [Fact]
    public void EmbeddedTokenizer_HasAboutOneTokenForEachPiece()
    {
        var tokenizer = Text.Tokenizers.Tokenizer.Load(Path.Combine(TestData.RepositoryRoot, "models", "llama"));
        foreach (var kind in Enum.GetValues<SyntheticKind>())
        {
            foreach (var sample in SyntheticSample.Generate(new SyntheticOptions { Kind = kind, Count = 20, Length = 1000 }))
                Assert.InRange(tokenizer.Encode(sample.Prompt).Length, 970, 1030);
        }
    }

    [Fact]
    public void Prepare_KeepsPromptAnswerAndClasses()
    {
        using var folder = new ScratchFolder();
        var context = ByteTokenizer.Context(folder, maxPromptTokens: 4000, chat: true);
        var options = new SyntheticOptions { Kind = SyntheticKind.Label, Count = 3, Length = 200 };
        var task = new SyntheticTask(options);
        var prepared = task.Prepare(context);
        Assert.Equal("embedded:label", task.Name);
        Assert.Equal(3, prepared.Select(sample => sample.Id).Distinct().Count());
        foreach (var (sample, row) in prepared.Zip(SyntheticSample.Generate(options)))
        {
            // The models were trained on plain text: a chat template is not applied.
            Assert.Equal(ByteTokenizer.Bos, sample.PromptIds[0]);
            Assert.Equal(row.Prompt, context.Tokenizer.Decode(sample.PromptIds));
            Assert.EndsWith("\nAnswer:", row.Prompt, StringComparison.Ordinal);
            Assert.Equal(context.Tokenizer.Encode("\n", addSpecialTokens: false), sample.StopIds);
            Assert.Equal([row.Answer], sample.Answers);
            Assert.Equal(row.AllClasses, sample.AllClasses);
        }
    }

    [Fact]
    public void Prepare_RefusesAPromptTooLongForTheModel()
    {
        using var folder = new ScratchFolder();
        var context = ByteTokenizer.Context(folder, maxPromptTokens: 500);
        var error = Assert.Throws<ConfigException>(() => new SyntheticTask(new SyntheticOptions { Length = 200 }).Prepare(context));
        Assert.Matches("^embedded:fact: length: 200 makes a prompt of \\d+ tokens .*; allowed: at most 500 tokens$", error.Message);
    }

    [Fact]
    public void Digest_ChangesWithEachOption()
    {
        SyntheticOptions[] options =
        [
            new(), new() { Kind = SyntheticKind.Count }, new() { Count = 21 }, new() { Length = 501 }, new() { Seed = 1 },
        ];
        Assert.Equal(options.Length, options.Select(option => new SyntheticTask(option).Digest).Distinct().Count());
        Assert.Equal(new SyntheticTask(new()).Digest, new SyntheticTask(new()).Digest);
    }
}
