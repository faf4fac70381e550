using KvPareto.Engine.Generation;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using Xunit;

namespace KvPareto.Testing.Conformance;

/// <summary>Answers under way together on a backend. A device adds a class that derives from this and says how to make its backend.</summary>
public abstract class BatchConformance
{
    private const int Samples = 11;

    /// <summary>A fresh backend; a device that is not there skips the test.</summary>
    protected abstract Backend Create();

    [Theory]
    [InlineData("llama", "w16a16-k16v16-c64", 2)]
    [InlineData("llama", "w4a16-k4v4-t32-c64", 3)]
    [InlineData("llama", "w4a16-k4v4-t32-c64", 8)]
    [InlineData("qwen2", "w8a16-k8v4-kch32-vt32-c32", 8)]
    [InlineData("qwen2", "w16a16-k4v4-t32-prebias-c64", 6)]
    [InlineData("qwen3", "w16a16-k2v2-t32-sink4-recent32-c64", 4)]
    [InlineData("mistral", "w16a16-k4v4-t32-rotkv-c64", 5)]
    [InlineData("llama", "w16a16-k4v4-t32-smooth-c64", 4)]
    [InlineData("llama", "w16a16-k16v16-math", 3)]
    [InlineData("dynamic", "w16a16-k8v8-t32-c64", 4)]
    public void Answers_AreThoseOfEachAlone(string model, string setting, int most)
    {
        using var backend = Create();
        var parsed = InferenceSetting.Parse(setting);
        using var folder = new ScratchFolder();
        using var loaded = LanguageModel.Load(backend, ModelsOfGeneration.Write(model, folder), parsed.Weights);
        var generator = new Generator(loaded.Transformer, parsed.For(loaded.Config));
        var (before, load) = (backend.Memory.Live, backend.Memory.Peaks.Load);
        if (most > backend.MostSequences)
        {
            Assert.Equal(1, backend.MostSequences);
            Assert.Throws<ArgumentOutOfRangeException>(() => new GenerationBatch<int>(loaded.Transformer, generator, most, 16));
            return;
        }
        var cancellation = TestContext.Current.CancellationToken;
        var random = new Random(7);
        var prompts = Enumerable.Range(0, Samples)
            .Select(_ => Enumerable.Range(0, random.Next(3, 330)).Select(_ => random.Next(3, 60)).ToArray()).ToArray();
        var limits = Enumerable.Range(0, Samples).Select(i => i == 4 ? 1 : random.Next(2, 40)).ToArray();
        var capacity = Enumerable.Range(0, Samples).Max(i => Generator.CacheCapacity(prompts[i].Length, limits[i]));
        var ended = new Dictionary<int, Completion>();
        using (var batch = new GenerationBatch<int>(loaded.Transformer, generator, most, capacity))
        {
            for (var next = 0; ended.Count < Samples;)
            {
                while (next < Samples && batch.TryAdd(next, prompts[next], limits[next], [9], stopTexts: null, cancellation)) next++;
                Assert.InRange(batch.Count, 0, most);
                foreach (var (key, completion) in batch.Step()) ended.Add(key, completion);
            }
        }
        for (var i = 0; i < Samples; i++)
        {
            var one = generator.Generate(prompts[i], limits[i], [9], cancellation: cancellation);
            Assert.Equal(one.Ids, ended[i].Ids);
            Assert.Equal(one.Peaks, ended[i].Peaks);
            Assert.Equal(prompts[i].Length, ended[i].PromptTokens);
            Assert.True(ended[i].TimeToFirstToken > TimeSpan.Zero && ended[i].DecodeTime > TimeSpan.Zero == one.Ids.Length > 1);
        }
        Assert.Equal((before, load), (backend.Memory.Live, backend.Memory.Peaks.Load));
    }
}
