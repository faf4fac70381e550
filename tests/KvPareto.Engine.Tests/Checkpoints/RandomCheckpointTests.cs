using System.Runtime.InteropServices;
using KvPareto.Cpu;
using KvPareto.Engine.Checkpoints;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Checkpoints;

public sealed class RandomCheckpointTests
{
    [Fact]
    public void Fill_EqualsTheScalarDefinition_WhereverItBegins()
    {
        var values = new RandomValues(7, "model.layers.3.mlp.up_proj.weight", 0, 0.02f);
        foreach (var (first, count) in new[] { (0L, 1), (0L, 16), (5L, 77), (1L << 33, 100), (123_456_789L, 31) })
        {
            var filled = new ushort[count];
            values.Fill(first, filled);
            for (var i = 0; i < count; i++) Assert.Equal(values.At(first + i), filled[i]);
        }
    }

    [Fact]
    public void Values_HaveTheDeviationAskedFor_AndDifferByTensorAndSeed()
    {
        const int Count = 1 << 18;
        static float[] Of(ulong seed, string name)
        {
            var bits = new ushort[Count];
            new RandomValues(seed, name, 0, 0.05f).Fill(0, bits);
            return Array.ConvertAll(bits, value => BitConverter.UInt32BitsToSingle((uint)value << 16));
        }
        var (a, b, c) = (Of(1, "a"), Of(1, "b"), Of(2, "a"));
        foreach (var values in new[] { a, b, c })
        {
            Assert.InRange(values.Average(), -0.0004, 0.0004); // four standard errors
            Assert.InRange(Math.Sqrt(values.Average(value => (double)value * value)), 0.0497, 0.0503);
        }
        static double Correlation(float[] x, float[] y) => x.Zip(y, (u, v) => (double)u * v).Sum() / (Count * 0.05 * 0.05);
        Assert.InRange(Correlation(a, b), -0.01, 0.01);
        Assert.InRange(Correlation(a, c), -0.01, 0.01);
        Assert.InRange(Correlation(a[1..], a[..^1]), -0.01, 0.01);
    }

    [Fact]
    public void Get_GivesTheSameBytesEachTime_AndGivesItsMemoryBack()
    {
        using var folder = new ScratchFolder();
        folder.Write("config.json", new TinyModel { Family = "qwen2", Hidden = 256, FeedForward = 1024 }.Config().ToJsonString());
        using var checkpoint = ModelSource.Open($"random:9:{folder.Root}").OpenCheckpoint();
        var ledger = new MemoryLedger();
        foreach (var name in checkpoint.Names)
        {
            using var first = checkpoint.Get(name, ledger);
            using var second = checkpoint.Get(name, ledger);
            Assert.Equal(2 * checkpoint.Stored(name).StagingBytes, ledger.Live.Workspace);
            Assert.True(first.Bytes.SequenceEqual(second.Bytes), name);
            if (name.EndsWith("norm.weight", StringComparison.Ordinal))
                Assert.All(MemoryMarshal.Cast<byte, ushort>(first.Bytes).ToArray(), one => Assert.Equal(0x3f80, one));
        }
        Assert.Equal(0, ledger.Live.Total);
        Assert.Throws<ConfigException>(() => checkpoint.Get("model.nothing"));
        Assert.Empty(checkpoint.Config.EosIds);
    }

    [Theory]
    [InlineData("w16a16-k16v16")]
    [InlineData("w4g32a16-k4v4-t32-c16")]
    public void Generation_IsFiniteAndTheSameForAnyNumberOfWorkers(string name)
    {
        using var folder = new ScratchFolder();
        folder.Write("config.json", new TinyModel { Family = "qwen3", Layers = 12 }.Config().ToJsonString());
        var setting = InferenceSetting.Parse(name);
        int[] Ids(int workers, int seed)
        {
            using var backend = new CpuBackend(workers);
            using var model = LanguageModel.Load(backend, $"random:{seed}:{folder.Root}", setting.Weights);
            Assert.False(model.HasTokenizer);
            Assert.Throws<ConfigException>(() => model.Tokenizer);
            return new Generator(model.Transformer, setting).Generate(SyntheticPrompt.Ids(50, model.Config.VocabularySize), 12).Ids;
        }
        var ids = Ids(1, 5);
        Assert.Equal(12, ids.Length);
        Assert.Equal(ids, Ids(3, 5));
        Assert.NotEqual(ids, Ids(1, 6));
    }

    [Theory]
    [InlineData("random:1:Qwen2.5-3B", 3_085_938_688)]
    [InlineData("random:1:Qwen2.5-7B", 7_615_616_512)]
    [InlineData("random:1:Llama-3.2-3B", 3_212_749_824)]
    [InlineData("random:1:Llama-3.1-8B", 8_030_261_248)]
    [InlineData("random:1:Mistral-7B-v0.3", 7_248_023_552)]
    public void ShippedArchitectures_HaveThePublishedParameterCounts(string model, long parameters)
    {
        using var checkpoint = ModelSource.Open(model).OpenCheckpoint();
        Assert.Equal(parameters, checkpoint.Names.Sum(name => checkpoint.Stored(name).StagingBytes) / sizeof(ushort));
    }

    [Fact]
    public void Names_AreThoseOfARealCheckpoint()
    {
        foreach (var family in new[] { "llama", "qwen2", "qwen3", "mistral" })
        {
            using var real = SafeTensorsCheckpoint.Open(TestData.Golden("models", family));
            using var random = ModelSource.Open($"random:1:{TestData.Golden("models", family)}").OpenCheckpoint();
            Assert.Equal(real.Names.Order(StringComparer.Ordinal), random.Names.Order(StringComparer.Ordinal));
            foreach (var name in real.Names) Assert.Equal(real.Get(name).Shape, random.Get(name).Shape);
        }
    }
}
