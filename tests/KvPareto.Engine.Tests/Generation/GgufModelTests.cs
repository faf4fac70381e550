using KvPareto.Engine.Cache;
using KvPareto.Engine.Cpu;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Tests.Formats.Gguf;
using KvPareto.Testing;

namespace KvPareto.Engine.Tests.Generation;

/// <summary>Models in GGUF files against transformers on the dequantized weights, in f32.</summary>
public class GgufModelTests
{
    // f32 sums in another order. llama.cpp on its own F32 dequantization is 5e-6 away; a wrong epsilon of the norms 1.5e-3.
    private const double LogitTolerance = 1e-4;

    private static readonly KvSpec F32Cache = new() { KeyBits = 32, ValueBits = 32 };

    public static TheoryData<string> Models => GgufGolden.Models;

    [Theory]
    [MemberData(nameof(Models))]
    public void Logits_EqualTransformers(string name)
    {
        var expectedFile = GgufGolden.PathOf(name + ".safetensors");
        var ids = TensorFile.Ids(expectedFile, "input_ids");
        var expected = TensorFile.Floats(expectedFile, "logits");
        using var backend = new CpuBackend();
        foreach (var chunk in new int?[] { null, 1, 7 })
        {
            var actual = Logits(backend, GgufGolden.PathOf(name + ".gguf"), WeightSpec.Full, new InferenceSetting { Cache = F32Cache, Chunk = chunk }, ids);
            var worst = expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max();
            Assert.InRange(worst, 0, LogitTolerance);
        }
    }

    [Fact]
    public void Weights_StayPackedAndAreCounted()
    {
        using var backend = new CpuBackend();
        using var checkpoint = GgufCheckpoint.Open(GgufGolden.PathOf("llama256-Q6_K.gguf"));
        using var weights = TransformerWeights.Load(backend, checkpoint, WeightSpec.Full);
        Assert.Equal(checkpoint.Names.Sum(tensor => checkpoint.Get(tensor).ByteCount), weights.ByteCount);
        Assert.Equal(weights.ByteCount, backend.Memory.Live.Weights);
        Assert.Equal(WeightFormat.Q6K, weights.Layers[0].Query.Format);
        Assert.Equal(backend.Memory.Peaks.Load.Total, backend.Memory.Live.Total);
    }

    /// <summary>Blocks that are coded a second time go through the values they stand for: 4 bits on top of 6 move logits a little.</summary>
    [Fact]
    public void Weights_CanBeCodedAgain()
    {
        var ids = TensorFile.Ids(GgufGolden.PathOf("llama256-Q6_K.safetensors"), "input_ids");
        using var backend = new CpuBackend();
        var setting = new InferenceSetting { Cache = F32Cache };
        var full = Logits(backend, GgufGolden.PathOf("llama256-Q6_K.gguf"), WeightSpec.Full, setting, ids);
        var coded = Logits(backend, GgufGolden.PathOf("llama256-Q6_K.gguf"), new WeightSpec(4, 32), setting, ids);
        var error = Math.Sqrt(full.Zip(coded, (a, b) => Math.Pow(a - b, 2)).Sum() / full.Sum(a => Math.Pow(a, 2)));
        Assert.InRange(error, 1e-3, 0.5);
    }

    private static float[] Logits(CpuBackend backend, string path, WeightSpec spec, InferenceSetting setting, int[] ids)
    {
        using var checkpoint = GgufCheckpoint.Open(path);
        using var weights = TransformerWeights.Load(backend, checkpoint, spec);
        var transformer = new Transformer(backend, checkpoint.Config, weights);
        var vocabulary = checkpoint.Config.VocabularySize;
        var logits = new float[ids.Length * vocabulary];
        new Generator(transformer, setting).Score(ids, (position, row) => row.CopyTo(logits.AsSpan(position * vocabulary)));
        return logits;
    }
}
