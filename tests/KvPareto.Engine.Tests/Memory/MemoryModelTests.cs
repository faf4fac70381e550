using System.Text.Json.Nodes;
using KvPareto.Cpu;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Checkpoints.Awq;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Memory;
using KvPareto.Engine.Model;
using KvPareto.Engine.Quantization;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Memory;

/// <summary>What is predicted from shapes equals what the ledger counts.</summary>
public sealed class MemoryModelTests
{
    private const int Samples = 200;
    private const int Architectures = 10;

    [Fact]
    public void Predict_EqualsMeasured_ForARandomSampleOfSettingsAndArchitectures()
    {
        using var folder = new ScratchFolder();
        var random = new Random(20251);
        var (decoded, chunked) = (0, 0);
        for (var architecture = 0; architecture < Architectures; architecture++)
        {
            var model = RandomModel(random, architecture).Write(folder[$"{architecture}"]);
            var source = architecture % 2 == 0 ? model : $"random:{architecture}:{model}";
            for (var sample = 0; sample < Samples / Architectures; sample++)
            {
                using var checkpoint = ModelSource.Open(source).OpenCheckpoint();
                var setting = RandomSetting(random, checkpoint.Config);
                var (prompt, newTokens, workers) = (random.Next(1, 700), random.Next(1, 4), random.Next(1, 4));
                using var backend = new CpuBackend(workers);
                var predicted = new MemoryModel(backend.Layout, checkpoint).Predict(setting, prompt, newTokens);
                var measured = Measure(backend, checkpoint, setting, prompt, newTokens);
                Assert.True(predicted == measured,
                    $"{source} {setting} prompt {prompt} new {newTokens} workers {workers}:\n{predicted}\n{measured}");
                if (newTokens > 1) decoded++;
                if (setting.Chunk < prompt) chunked++;
            }
        }
        Assert.InRange(decoded, Samples / 4, Samples);
        Assert.InRange(chunked, Samples / 4, Samples);
    }

    [Fact]
    public void Predict_KnowsAwqWeightsBeforeTheyAreMade()
    {
        using var folder = new ScratchFolder();
        var source = ModelSource.Open(new TinyModel { Family = "qwen2", Tied = true }.Write(folder["model"]));
        using (var maker = new CpuBackend(2)) ModelQuantizer.Run(maker, source, folder["awq"], new(QuantizeMethod.Rtn, 4, 64), []);
        using var backend = new CpuBackend(2);
        using var plain = source.OpenCheckpoint();
        using var made = ModelSource.Open(folder["awq"]).OpenCheckpoint();
        using var shapes = new AwqShapes(plain, new(4, 64, []));
        var setting = InferenceSetting.Parse("awq4g64a16-k8v4-t32-c64");
        var predicted = new MemoryModel(backend.Layout, shapes).Predict(setting, 100, 2);
        Assert.Equal(Measure(backend, made, setting, 100, 2), predicted);
        Assert.Equal(predicted, MemoryPlan.Rows(backend.Layout, plain, [setting], [100], 2, [shapes])[0].Peaks);
        foreach (var wrong in new[] { "awq4g32a16-k8v4-t32", "q4_1a16-k8v4-t32" })
        {
            var error = Assert.Throws<ConfigException>(
                () => new MemoryModel(backend.Layout, made).Predict(InferenceSetting.Parse(wrong), 100, 2));
            Assert.Contains("but its linear layers are awq4g64; allowed: awq4g64, w16", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("llama-g128", "w16a16-k4v4-t16-c20")]
    [InlineData("qwen2-g64", "w16a16-e8-k16v16-math")]
    public void Predict_EqualsMeasured_ForPackedCheckpoints(string name, string setting)
    {
        var parsed = InferenceSetting.Parse(setting);
        if (parsed.Weights.IsCoded) parsed = parsed with { Weights = parsed.Weights with { Group = 32 } };
        using var checkpoint = ModelSource.Open(TestData.Golden("awq", name)).OpenCheckpoint();
        using var backend = new CpuBackend(2);
        var predicted = new MemoryModel(backend.Layout, checkpoint).Predict(parsed, 60, 1);
        Assert.Equal(Measure(backend, checkpoint, parsed, 60, 1), predicted);
        using var alone = ModelSource.Open(TestData.Golden("awq", name, "config.json")).OpenShapes();
        Assert.Equal(predicted, new MemoryModel(backend.Layout, alone).Predict(parsed, 60, 1));
    }

    [Fact]
    public void Predict_IsTheSame_ForWeightsAndForTheirConfigAlone()
    {
        using var folder = new ScratchFolder();
        var tiny = new TinyModel { Family = "qwen2", Type = TensorType.BF16 };
        var whole = tiny.Write(folder["whole"]);
        folder.Write("alone/config.json", tiny.Config().ToJsonString());
        using var backend = new CpuBackend(2);
        MemoryPeaks Of(string model)
        {
            using var shapes = ModelSource.Open(model).OpenShapes();
            return new MemoryModel(backend.Layout, shapes).Predict(InferenceSetting.Parse("w4g32a16-k4v2-t32-c64"), 500, 8);
        }
        Assert.Equal(Of(whole), Of(folder["alone"]));
        Assert.Equal(Of(whole), Of(folder["alone/config.json"]));
        var random = Of($"random:3:{folder["alone"]}");
        Assert.Equal(Of(whole).Inference, random.Inference);
        Assert.Equal(Of(whole).Load, random.Load);
    }

    [Fact]
    public void Predict_GrowsAsTheScoresOfTheMathKernelDo()
    {
        var shapes = ModelSource.Open("Llama-3.1-8B").OpenShapes();
        var model = new MemoryModel(new CpuBackend(1).Layout, shapes);
        var (flash, math) = (model.Predict(MemoryPlan.FlashBaseline, 128_000, 1), model.Predict(MemoryPlan.MathBaseline, 128_000, 1));
        // 32 heads of 128,000 rows, each of 2,001 blocks of 64 keys: a block more than there are tokens.
        Assert.Equal(32L * 128_000 * (2_001 * 64) * sizeof(float), math.Prefill.Workspace - flash.Prefill.Workspace);
        Assert.Equal(32L * 2 * 8 * 128 * 128_000 * 2, flash.Prefill.KvCache);
        Assert.Equal(default, flash.Decode);
    }

    [Theory]
    [InlineData("w4a16-k16v16",
        "tensor 'model.layers.0.self_attn.q_proj.weight' has 96 input channels, which weight group 128 does not divide; allowed: 32")]
    [InlineData("w16a16-k4v4-t24", "head_dim of 32")]
    public void Predict_RefusesWhatDoesNotFit(string setting, string message)
    {
        using var folder = new ScratchFolder();
        folder.Write("config.json", new TinyModel { Hidden = 96 }.Config().ToJsonString());
        var model = new MemoryModel(new CpuBackend(1).Layout, ModelSource.Open(folder.Root).OpenShapes());
        var error = Assert.Throws<ConfigException>(() => model.Predict(InferenceSetting.Parse(setting), 10, 1));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private static MemoryPeaks Measure(CpuBackend backend, Checkpoint checkpoint, InferenceSetting setting, int prompt, int newTokens)
    {
        using var weights = TransformerWeights.Load(backend, checkpoint, setting.Weights);
        var transformer = new Transformer(backend, checkpoint.Config, weights);
        return new Generator(transformer, setting).Generate(SyntheticPrompt.Ids(prompt, checkpoint.Config.VocabularySize), newTokens).Peaks;
    }

    private static TinyModel RandomModel(Random random, int index)
    {
        var heads = random.Next(1, 4);
        return new()
        {
            Family = Pick(random, "llama", "qwen2", "qwen3", "mistral"),
            Layers = random.Next(1, 4),
            Hidden = 32 * random.Next(1, 5),
            KvHeads = heads,
            QueryHeads = heads * random.Next(1, 4),
            HeadDim = Pick(random, 16, 32, 64, 96),
            FeedForward = 32 * random.Next(1, 7),
            Vocabulary = random.Next(40, 400),
            Tied = random.Next(2) == 0,
            Window = random.Next(3) == 0 ? random.Next(1, 300) : null,
            Type = Pick(random, TensorType.BF16, TensorType.F16, TensorType.F32),
            Seed = index,
            // No end token: a generation has its full length.
            Overrides = new Dictionary<string, JsonNode?> { ["eos_token_id"] = null },
        };
    }

    private static InferenceSetting RandomSetting(Random random, ModelConfig config)
    {
        int[] widths = [config.HiddenSize, config.QueryHeads * config.HeadDim, config.FeedForwardSize];
        WeightSpec[] coded =
        [
            .. from bits in WeightSpec.AllBits
               from embeddingBits in WeightSpec.AllBits
               from size in WeightSpec.Groups
               where widths.All(width => width % size == 0)
               select new WeightSpec(bits, size, embeddingBits),
        ];
        KvGranularity Granularity() => random.Next(6) switch
        {
            0 => new(KvAxis.Channel, Pick(random, 16, 32, 64)),
            1 => new(KvAxis.Block, Pick(random, 16, 48)),
            2 => new(KvAxis.Tensor, 0),
            3 => new(KvAxis.PowerOfTwo, 0),
            _ => new(KvAxis.Token, Pick(random, [.. new[] { 8, 16, 32, 64 }.Where(group => config.HeadDim % group == 0)])),
        };
        return new()
        {
            Weights = Pick(random, [WeightSpec.Full, .. coded]),
            Cache = new()
            {
                Keys = new(Pick(random, 2, 4, 8, 16, 32), Granularity()),
                Values = new(Pick(random, 2, 4, 8, 16, 32), Granularity()),
                SmoothKeys = random.Next(2) == 0,
                Rotation = int.IsPow2(config.HeadDim) ? Pick(random, KvRotation.None, KvRotation.Keys, KvRotation.KeysAndValues)
                    : KvRotation.None,
                SinkTokens = Pick(random, 0, 0, 4, 50),
                RecentTokens = Pick(random, 0, 0, 16, 100),
                EdgeLayers = random.Next(config.LayerCount / 2 + 1),
                PreBiasKeys = config.QkvBias && random.Next(2) == 0,
                Fit = new(Pick(random, 100, 96) / 100f),
            },
            Chunk = random.Next(3) switch { 0 => null, 1 => random.Next(1, 40), _ => random.Next(40, 400) },
            Attention = Pick(random, AttentionKernel.Flash, AttentionKernel.Math),
        };
    }

    private static T Pick<T>(Random random, params T[] choices) => choices[random.Next(choices.Length)];
}
