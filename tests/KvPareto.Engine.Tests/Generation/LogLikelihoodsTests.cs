using KvPareto.Cpu;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Generation;

/// <summary>Log likelihoods of continuations against a plain computation in f64 over all logits of prompt and continuation.</summary>
public class LogLikelihoodsTests
{
    // f32 sums in another order.
    private const double Tolerance = 1e-4;

    private const int PromptTokens = 70;

    // One token, others of one token, two that share their first two tokens, and one apart.
    private static readonly int[][] Continuations = [[5], [200], [9, 3, 7], [9, 3, 8], [4, 4]];

    [Theory]
    [InlineData("llama", "w16a16-k32v32-c16")]
    [InlineData("qwen2", "w16a16-k32v32-math")]
    [InlineData("qwen3", "w16a16-k8v8-t16-c7")]
    [InlineData("mistral", "w16a16-k2v2-t16-c32")]
    public void Values_AreTheSumsOverTokens(string family, string name)
    {
        using var model = new Loaded(family);
        var setting = InferenceSetting.Parse(name);
        var actual = new Generator(model.Transformer, setting).LogLikelihoods(model.Prompt, Continuations);
        Assert.Equal(Continuations.Length, actual.Values.Count);
        for (var i = 0; i < Continuations.Length; i++)
            Assert.InRange(Math.Abs(actual.Values[i] - Expected(model, setting, Continuations[i])), 0, Tolerance);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("mistral")]
    public void TwoBits_MoveEveryLikelihood_OfAPromptFedWhole(string family)
    {
        using var model = new Loaded(family);
        var full = Values("w16a16-k16v16");
        Assert.All(Values("w16a16-k2v2-t16").Zip(full), pair => Assert.True(Math.Abs(pair.First - pair.Second) > 0.01, $"{pair}"));

        IReadOnlyList<double> Values(string name) =>
            new Generator(model.Transformer, InferenceSetting.Parse(name)).LogLikelihoods(model.Prompt, Continuations).Values;
    }

    [Fact]
    public void Values_DoNotDependOnWhatElseIsAsked()
    {
        using var model = new Loaded("llama");
        var generator = new Generator(model.Transformer, InferenceSetting.Parse("w16a16-k4v4-t16-smooth-c16"));
        var together = generator.LogLikelihoods(model.Prompt, Continuations).Values;
        var alone = Continuations.Select(continuation => generator.LogLikelihoods(model.Prompt, [continuation]).Values[0]);
        Assert.Equal(together, alone);
    }

    [Fact]
    public void Peaks_AreThoseOfAnsweringWithOneToken()
    {
        using var model = new Loaded("llama");
        var generator = new Generator(model.Transformer, InferenceSetting.Parse("w16a16-k4v4-t16-c16"));
        var expected = generator.Generate(model.Prompt, 1).Peaks;
        Assert.Equal(expected, generator.LogLikelihoods(model.Prompt, Continuations[..2]).Peaks);
        var longer = generator.LogLikelihoods(model.Prompt, Continuations).Peaks;
        Assert.InRange(longer.Decode.Total, 1, longer.Prefill.Total);
        Assert.Equal(0, model.Transformer.Backend.Memory.Live.KvCache + model.Transformer.Backend.Memory.Live.Activations);
    }

    [Fact]
    public void RefusesWhatIsNoContinuation()
    {
        using var model = new Loaded("llama");
        var generator = new Generator(model.Transformer, new InferenceSetting());
        Assert.Throws<ConfigException>(() => generator.LogLikelihoods(model.Prompt, [[1], []]));
        Assert.Throws<ConfigException>(() => generator.LogLikelihoods(model.Prompt, [[1], [1 << 20]]));
        Assert.Throws<ConfigException>(() => generator.LogLikelihoods([], [[1]]));
    }

    private static double Expected(Loaded model, InferenceSetting setting, int[] continuation)
    {
        int[] ids = [.. model.Prompt, .. continuation];
        var rows = AllLogits.Of(model.Transformer, setting, ids).Chunk(model.Transformer.Config.VocabularySize).ToArray();
        return continuation.Select((id, at) => LogSoftmax(rows[PromptTokens - 1 + at], id)).Sum();
    }

    private static double LogSoftmax(float[] row, int id)
    {
        double max = row.Max();
        return row[id] - max - Math.Log(row.Sum(logit => Math.Exp(logit - max)));
    }

    private sealed class Loaded : IDisposable
    {
        private readonly CpuBackend _backend = new(2);
        private readonly TransformerWeights _weights;

        public Loaded(string family)
        {
            using var checkpoint = SafeTensorsCheckpoint.Open(TestData.Golden("models", family));
            _weights = TransformerWeights.Load(_backend, checkpoint, WeightSpec.Full);
            Transformer = new Transformer(_backend, checkpoint.Config, _weights);
            Prompt = TensorFile.Ids(TestData.Golden("models", family, "expected.safetensors"), "input_ids")[..PromptTokens];
        }

        public Transformer Transformer { get; }

        public int[] Prompt { get; }

        public void Dispose()
        {
            _weights.Dispose();
            _backend.Dispose();
        }
    }
}
