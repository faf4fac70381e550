using System.Text.Json.Nodes;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Model;

public class TransformerWeightsTests
{
    [Theory]
    [InlineData("llama", 30)]
    [InlineData("qwen2", 29)]
    [InlineData("qwen3", 35)]
    [InlineData("mistral", 30)]
    public void Load_TakesEveryFamilyAsItIs(string family, int uploads)
    {
        using var backend = new RecordingBackend();
        using var checkpoint = SafeTensorsCheckpoint.Open(TestData.Golden("models", family));
        using var weights = TransformerWeights.Load(backend, checkpoint, WeightSpec.Full);
        Assert.Equal((uploads, 3), (backend.Uploads.Count, weights.Layers.Length));
        foreach (var upload in backend.Uploads)
        {
            var tensor = checkpoint.Get(upload.Name);
            var isVector = tensor.Shape.Length == 1;
            Assert.Equal(isVector ? WeightFormat.F32 : WeightFormat.BF16, upload.Format);
            Assert.Equal(isVector ? 1 : tensor.Shape[0], upload.RowCount);
            Assert.Equal(tensor.Shape[^1], upload.ColumnCount);
            if (!isVector) Assert.Equal(tensor.Bytes, upload.Data);
            var isQkv = upload.Name.Split('.')[^2] is "q_proj" or "k_proj" or "v_proj";
            Assert.Equal(family == "qwen2" && isQkv, upload.Bias is not null);
        }
        Assert.Equal(family.StartsWith("qwen", StringComparison.Ordinal), ReferenceEquals(weights.Embedding, weights.Head));
        Assert.Equal(family == "qwen3", weights.Layers[0].QueryNorm is not null && weights.Layers[0].KeyNorm is not null);
        Assert.Equal(backend.Uploads.Sum(upload => upload.ByteCount), weights.ByteCount);
        Assert.Equal(new MemoryUse(weights.ByteCount, 0, 0, 0), backend.Memory.Live);
        weights.Dispose();
        Assert.Equal(0, backend.Memory.Live.Total);
        Assert.Equal("model.layers.2.self_attn.k_proj.weight", weights.Layers[2].Key.Name);
    }

    [Theory]
    [InlineData(TensorType.F32)]
    [InlineData(TensorType.F16)]
    [InlineData(TensorType.BF16)]
    public void Load_KeepsValuesOfEveryType(TensorType type)
    {
        using var folder = new ScratchFolder();
        var model = new TinyModel { Family = "qwen2", Type = type };
        using var backend = new RecordingBackend();
        using var checkpoint = SafeTensorsCheckpoint.Open(model.Write(folder.Root));
        using var weights = TransformerWeights.Load(backend, checkpoint, WeightSpec.Full);
        var tolerance = type switch { TensorType.F32 => 0, TensorType.F16 => 1 / 2048.0, _ => 1 / 256.0 };
        foreach (var spec in model.Tensors().Where(spec => spec.Shape.Length == 1))
        {
            var owner = backend[spec.Name.Replace(".bias", ".weight", StringComparison.Ordinal)];
            var actual = owner.Name == spec.Name ? owner.Floats.ToArray() : owner.Bias!;
            var expected = model.Values(spec);
            Assert.Equal(expected.Length, actual.Length);
            for (var i = 0; i < expected.Length; i++)
                Assert.InRange(Math.Abs(actual[i] - expected[i]), 0, tolerance * Math.Abs(expected[i]) + 1e-7);
        }
    }

    [Fact]
    public void Load_CodesLinearLayersOnly()
    {
        using var folder = new ScratchFolder();
        using var backend = new RecordingBackend();
        using var checkpoint = SafeTensorsCheckpoint.Open(new TinyModel { Family = "qwen2" }.Write(folder.Root));
        using var weights = TransformerWeights.Load(backend, checkpoint, new(4, 32));
        Assert.Equal(14, backend.Uploads.Count(upload => upload.Format == WeightFormat.W4));
        Assert.Equal((WeightFormat.BF16, WeightFormat.BF16), (weights.Embedding.Format, weights.Head.Format));
        var key = backend["model.layers.1.self_attn.k_proj.weight"];
        Assert.Equal((64 * 64 / 2, 64 * 2, 64), (key.Data.Length, key.Groups.Length, key.Bias!.Length));
        var source = checkpoint.Get(key.Name).Bytes;
        for (var i = 0; i < 64 * 64; i++)
        {
            var meta = key.Groups[i / 32];
            var expected = BitConverter.UInt32BitsToSingle((uint)(source[2 * i] | source[2 * i + 1] << 8) << 16);
            Assert.InRange(GroupCodec.Decode(GroupCodec.Load(key.Data, i, 4), meta) - expected, -0.51f * meta.Scale, 0.51f * meta.Scale);
        }
        Assert.Equal(0, backend.Memory.Live.Workspace);
        Assert.Equal(128 * 64 / 2 + 128 * 2 * GroupMeta.ByteSize, backend.LargestStaging);
    }

    [Theory]
    [InlineData(16, 8, WeightFormat.BF16, WeightFormat.W8)]
    [InlineData(8, 4, WeightFormat.W8, WeightFormat.W4)]
    [InlineData(8, 16, WeightFormat.W8, WeightFormat.BF16)]
    public void Load_CodesEmbeddingAndHeadApart(int bits, int embeddingBits, WeightFormat linear, WeightFormat vocabulary)
    {
        using var folder = new ScratchFolder();
        foreach (var tied in (bool[])[false, true])
        {
            using var backend = new RecordingBackend();
            using var checkpoint = SafeTensorsCheckpoint.Open(new TinyModel { Tied = tied }.Write(folder[tied ? "tied" : "apart"]));
            using var weights = TransformerWeights.Load(backend, checkpoint, new(bits, 32, embeddingBits));
            Assert.Equal(
                14, backend.Uploads.Count(upload => upload.Format == linear && upload.Name.Contains("_proj", StringComparison.Ordinal)));
            Assert.Equal((vocabulary, vocabulary), (weights.Embedding.Format, weights.Head.Format));
            Assert.Equal(tied, ReferenceEquals(weights.Embedding, weights.Head));
        }
    }

    [Fact]
    public void Load_FindsBiasesThatTheConfigurationDoesNotName()
    {
        using var folder = new ScratchFolder();
        var model = new TinyModel { Family = "qwen2", Overrides = new Dictionary<string, JsonNode?> { ["model_type"] = "llama" } };
        using var backend = new RecordingBackend();
        using var checkpoint = SafeTensorsCheckpoint.Open(model.Write(folder.Root));
        using var weights = TransformerWeights.Load(backend, checkpoint, WeightSpec.Full);
        Assert.Equal(128, backend["model.layers.0.self_attn.q_proj.weight"].Bias!.Length);
    }

    [Theory]
    [InlineData("""{"vocab_size":161}""", "tensor 'model.embed_tokens.weight' has shape [160, 64]; the configuration asks for [161, 64]")]
    [InlineData("""{"intermediate_size":96}""", "tensor 'model.layers.0.mlp.gate_proj.weight' has shape [128, 64]; the configuration asks for [96, 64]")]
    [InlineData("""{"num_hidden_layers":3}""", "tensor 'model.layers.2.input_layernorm.weight' is missing; the configuration asks for one of shape [64]")]
    [InlineData("""{"model_type":"qwen2"}""", "tensor 'model.layers.0.self_attn.q_proj.bias' is missing; the configuration asks for one of shape [128]")]
    [InlineData("""{"model_type":"qwen3"}""", "tensor 'model.layers.0.self_attn.q_norm.weight' is missing; the configuration asks for one of shape [32]")]
    [InlineData("""{"mlp_bias":true}""", "tensor 'model.layers.0.mlp.gate_proj.bias' is missing; the configuration asks for one of shape [128]")]
    [InlineData("""{"num_key_value_heads":1}""", "tensor 'model.layers.0.self_attn.k_proj.weight' has shape [64, 64]; the configuration asks for [32, 64]")]
    public void Load_RefusesWhatDoesNotFitTheConfiguration(string change, string expected)
    {
        var overrides = JsonNode.Parse(change)!.AsObject().ToDictionary(pair => pair.Key, pair => pair.Value);
        Assert.Equal(expected, Refusal(new TinyModel { Overrides = overrides }, WeightSpec.Full));
    }

    [Fact]
    public void Load_RefusesAMissingHead()
    {
        var untied = new TinyModel { Tied = true, Overrides = new Dictionary<string, JsonNode?> { ["tie_word_embeddings"] = false } };
        var message = Refusal(untied, WeightSpec.Full);
        Assert.Equal("tensor 'lm_head.weight' is missing; the configuration asks for one of shape [160, 64]", message);
    }

    [Fact]
    public void Load_RefusesGroupsThatDoNotDivide() => Assert.Equal(
        "tensor 'model.layers.0.self_attn.q_proj.weight' has 64 input channels, which weight group 128 does not divide; allowed: 32, 64",
        Refusal(new TinyModel(), new WeightSpec(4)));

    [Fact]
    public void Load_RefusesOtherElementTypes()
    {
        using var folder = new ScratchFolder();
        var model = new TinyModel { Layers = 1, Type = TensorType.F32 };
        model.Write(folder.Root);
        var integers = model.Tensors().Select(spec => spec with { Type = TensorType.I32 }).ToArray();
        using (var writer = new SafeTensorsWriter(folder["model.safetensors"], integers))
        {
            foreach (var spec in model.Tensors()) writer.Write(spec.Name, new byte[spec.ByteCount]);
            writer.Complete();
        }
        Assert.Equal("tensor 'model.embed_tokens.weight' is of type I32; allowed: F32, F16, BF16", Refusal(folder.Root, WeightSpec.Full));
    }

    [Fact]
    public void Load_LeavesNothingBehindAFailure()
    {
        using var folder = new ScratchFolder();
        using var checkpoint = SafeTensorsCheckpoint.Open(new TinyModel().Write(folder.Root));
        foreach (var spec in new[] { WeightSpec.Full, new(4, 32) })
        {
            for (var failing = 0; failing < 21; failing += 5)
            {
                var failsAt = failing;
                using var backend = new RecordingBackend
                {
                    BeforeUpload = count =>
                    {
                        if (count == failsAt) throw new IOException("asked for");
                    },
                };
                Assert.Throws<IOException>(() => TransformerWeights.Load(backend, checkpoint, spec));
                Assert.Equal((failing, 0), (backend.Uploads.Count, backend.Memory.Live.Total));
            }
        }
    }

    [Fact]
    public void Load_LeavesNothingBehindWhereTheKeysBiasesCannotBeReadAtTheEnd()
    {
        using var folder = new ScratchFolder();
        using var checkpoint = SafeTensorsCheckpoint.Open(new TinyModel { Family = "qwen2", Tied = true }.Write(folder.Root));
        using var backend = new RecordingBackend { BeforeUpload = count => { if (count == 19) Cut(folder["model.safetensors"]); } };
        var error = Assert.Throws<ConfigException>(() => TransformerWeights.Load(backend, checkpoint, WeightSpec.Full));
        Assert.Contains("was cut while being read", error.Message, StringComparison.Ordinal);
        Assert.Equal((20, 0), (backend.Uploads.Count, backend.Memory.Live.Total));

        static void Cut(string path)
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            file.SetLength(16);
        }
    }

    [Fact]
    public void Activations_LeaveNothingBehindWhereThereIsNoRoomForAll()
    {
        using var folder = new ScratchFolder();
        using var checkpoint = SafeTensorsCheckpoint.Open(new TinyModel().Write(folder.Root));
        for (var room = 0; room < 3; room++)
        {
            using var backend = new RecordingBackend { Room = room };
            Assert.Throws<InsufficientMemoryException>(() => new TransformerActivations(backend, checkpoint.Config, 8));
            Assert.Equal(0, backend.Memory.Live.Total);
        }
    }

    [Theory]
    [InlineData(2, 128, 16, "weight bits 2: allowed are 16, 8, 4")]
    [InlineData(16, 128, 2, "embedding bits 2: allowed are 16, 8, 4")]
    [InlineData(4, 48, 16, "weight group 48: allowed are 32, 64, 96, 128, 160, 192, 224, 256")]
    [InlineData(16, 0, 8, "weight group 0: allowed are 32, 64, 96, 128, 160, 192, 224, 256")]
    public void Load_RefusesUnknownSettings(int bits, int group, int embeddingBits, string expected)
    {
        using var backend = new RecordingBackend();
        using var checkpoint = SafeTensorsCheckpoint.Open(TestData.Golden("models", "qwen2"));
        Assert.Equal(expected, Refuse(backend, checkpoint, new(bits, group, embeddingBits)));
    }

    [Fact]
    public void Load_TakesTheRealModelAt4Bits()
    {
        using var backend = new RecordingBackend();
        using var checkpoint = SafeTensorsCheckpoint.Open(TestData.SmolLm2OrSkip());
        using var weights = TransformerWeights.Load(backend, checkpoint, new(4, 64));
        Assert.Equal(30 * 7, backend.Uploads.Count(upload => upload.Format == WeightFormat.W4));
        // 106,168,320 codes of 4 bits with 4 bytes a group of 64; the embedding in bf16; 61 norms in f32.
        Assert.Equal(106_168_320L / 2 + 106_168_320L / 64 * 4 + 49152L * 576 * 2 + 61 * 576 * 4, weights.ByteCount);
    }

    private static string Refusal(TinyModel model, WeightSpec spec)
    {
        using var folder = new ScratchFolder();
        return Refusal(model.Write(folder.Root), spec);
    }

    private static string Refusal(string folder, WeightSpec spec)
    {
        using var backend = new RecordingBackend();
        using var checkpoint = SafeTensorsCheckpoint.Open(folder);
        var message = Refuse(backend, checkpoint, spec);
        Assert.Equal(0, backend.Memory.Live.Total);
        Assert.Equal(message, RefuseAtOnce(checkpoint, spec));
        Assert.StartsWith(checkpoint.Source + ": ", message, StringComparison.Ordinal);
        return message[(checkpoint.Source.Length + 2)..];
    }

    private static string Refuse(Backend backend, Checkpoint checkpoint, WeightSpec spec) =>
        Assert.Throws<ConfigException>(() => TransformerWeights.Load(backend, checkpoint, spec)).Message;

    /// <summary>What names, types and shapes tell is told without reading: nothing was allocated.</summary>
    private static string RefuseAtOnce(Checkpoint checkpoint, WeightSpec spec) =>
        Assert.Throws<ConfigException>(() => TransformerWeights.Check(checkpoint, spec)).Message;
}
