using KvPareto.Engine.Checkpoints.Gguf;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model.Families;
using KvPareto.Engine.Rotary;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Checkpoints.Gguf;

public sealed class GgufCheckpointTests : IDisposable
{
    private readonly ScratchFolder _folder = new();

    public static TheoryData<string, uint, string> BadNumbers => new()
    {
        { "llama.block_count", 0, "key 'llama.block_count' is 0; allowed: a whole number from 1 to 1024" },
        { "llama.block_count", 4000000000, "key 'llama.block_count' is 4000000000; allowed: a whole number from 1 to 1024" },
        { "llama.attention.head_count_kv", 3, "key 'llama.attention.head_count_kv' is 3; allowed: a divisor of head_count (4)" },
        { "llama.attention.key_length", 15, "heads are 15 wide; allowed: an even width up to 1024" },
        { "llama.rope.dimension_count", 8, "key 'llama.rope.dimension_count' is 8; allowed: 16, the width of a head" },
        { "llama.expert_count", 8, "key 'llama.expert_count' is 8; allowed: 0 (mixtures of experts are not supported)" },
        { "tokenizer.ggml.eos_token_id", 99, "key 'tokenizer.ggml.eos_token_id' is 99; allowed: a whole number from 0 to 31" },
    };

    [Fact]
    public void Config_IsThatOfTheMetadata()
    {
        using var llama = GgufCheckpoint.Open(GgufGolden.PathOf("llama128x-Q4_K_M.gguf"));
        var config = llama.Config;
        Assert.Equal(
            ("llama", 512, 128, 256, 2),
                (config.Family, config.VocabularySize, config.HiddenSize, config.FeedForwardSize, config.LayerCount));
        Assert.Equal((4, 2, 64, 1e-5f, 2048), (config.QueryHeads, config.KvHeads, config.HeadDim, config.NormEpsilon, config.MaxPositions));
        Assert.True(config.TiedEmbeddings);
        Assert.Equal(507, config.BosId);
        Assert.Equal([511], config.EosIds);
        Assert.Equal([0, 0], config.LayerWindows);

        using var qwen = GgufCheckpoint.Open(GgufGolden.PathOf("qwen128-Q8_0.gguf"));
        Assert.Equal(("qwen2", 32, 1e-6f), (qwen.Config.Family, qwen.Config.HeadDim, qwen.Config.NormEpsilon));
        Assert.True(qwen.Config.QkvBias && qwen.Contains("model.layers.1.self_attn.k_proj.bias"));
    }

    /// <summary>The file says Llama 3's scaling (factor 8, 1, 4, 128) only by the factors that divide the frequencies.</summary>
    [Fact]
    public void RopeFactors_GiveLlama3Frequencies()
    {
        using var checkpoint = GgufCheckpoint.Open(GgufGolden.PathOf("llama128x-Q4_K_M.gguf"));
        var expected = RopeFrequencies.Llama3(64, 10000, new(8, 1, 4, 128)).InverseFrequencies;
        var actual = checkpoint.Config.Rope.InverseFrequencies;
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.InRange(actual[i] / expected[i], 1 - 1e-6, 1 + 1e-6);
        Assert.NotEqual(RopeFrequencies.Default(64, 10000).InverseFrequencies, actual);
    }

    [Fact]
    public void SlidingWindow_AndLinearScaling_AreRead()
    {
        var file = Small().Add("llama.attention.sliding_window", 7).Add("llama.rope.scaling.type", "linear")
            .Add("llama.rope.scaling.factor", 4f);
        using var checkpoint = GgufCheckpoint.Open(file.Write(_folder["x.gguf"]));
        Assert.Equal([7, 7], checkpoint.Config.LayerWindows);
        Assert.Equal(RopeFrequencies.Linear(16, 10000, 4).InverseFrequencies, checkpoint.Config.Rope.InverseFrequencies);
    }

    [Theory]
    [InlineData("rope.scaling.factor", 4f, null, 4)]
    [InlineData("rope.scale_linear", 4f, null, 4)]
    [InlineData("rope.scaling.factor", 4f, "none", 1)]
    [InlineData("rope.scaling.factor", 0f, null, 1)]
    [InlineData("rope.scaling.factor", 1f, "linear", 1)]
    public void Scaling_WithoutAType_IsLinear(string key, float factor, string? type, double expected)
    {
        var file = Small().Add($"llama.{key}", factor);
        if (type is not null) file.Add("llama.rope.scaling.type", type);
        using var checkpoint = GgufCheckpoint.Open(file.Write(_folder["x.gguf"]));
        Assert.Equal(RopeFrequencies.Linear(16, 10000, expected).InverseFrequencies, checkpoint.Config.Rope.InverseFrequencies);
    }

    [Fact]
    public void Keys_ThatNobodyReads_AreRefused_UnlessTheySayNothing()
    {
        Assert.Equal(
            "key 'llama.attention.clamp_kqv' is 8; it is not known here and may change what the model computes; allowed: a file without it",
            Refusal(Small().Add("llama.attention.clamp_kqv", 8f)));
        Assert.Equal(
            "key 'llama.logit_scale' is 16; it is not known here and may change what the model computes; allowed: a file without it",
                Refusal(Small().Add("llama.logit_scale", 16f)));
        Assert.Equal("key 'general.type' is 'adapter'; allowed: model", Refusal(Small().Add("general.type", "adapter")));
        Assert.Equal(
            "key 'llama.rope.scaling.attn_factor' is 2; allowed: 1 where rope.scaling.type is none",
                Refusal(Small().Add("llama.rope.scaling.attn_factor", 2f)));
        using var passed =
            GgufCheckpoint.Open(
            Small().Add("llama.attention.clamp_kqv", 0f).Add("llama.x", false).Add("general.note", "y").Write(_folder["x.gguf"]));
        Assert.Equal(2, passed.Config.LayerCount);
    }

    [Theory]
    [InlineData("blk.1.attn_sinks.weight")]
    [InlineData("blk.1.ffn_norm.bias")]
    [InlineData("blk.0.attn_q_norm.weight")]
    public void TensorsOfALayer_ThatTheArchitectureHasNoPlaceFor_AreRefused(string name)
    {
        const uint f32 = 0;
        const ulong after = 64 * 32 * 2; // the embedding
        Assert.Matches(
            "tensor '.*' has no place in a layer of llama as its configuration says it is: without it this would be another model",
            Refusal(Small().AddTensor(name, f32, after, 64)));
        using var passed = GgufCheckpoint.Open(
            Small().AddTensor("blk.0.attn_rot_embd.weight", f32, after, 64).AddTensor("blk.0.attn_q.bias", f32, after + 256, 64)
                .Write(_folder["x.gguf"]));
        Assert.Contains("model.layers.0.self_attn.q_proj.bias", passed.Names);
    }

    [Theory]
    [InlineData("m-00001-of-00002.gguf")]
    [InlineData("m-00002-of-00002.gguf")]
    public void PartsOfASplitFile_AreJoined_WhicheverIsGiven(string given)
    {
        WriteParts("m-00001-of-00002.gguf", "m-00002-of-00002.gguf", number: 1);
        using var checkpoint = GgufCheckpoint.Open(_folder[given]);
        Assert.Equal(["model.embed_tokens.weight", "model.norm.weight"], checkpoint.Names.Order());
        Assert.Equal(_folder["m-00002-of-00002.gguf"], checkpoint.Get("model.norm.weight").File);
        Assert.Equal(64, checkpoint.Config.HiddenSize);
        Assert.Equal("m", ModelSource.Open(_folder[given]).Name);
    }

    [Fact]
    public void PartsOfASplitFile_ThatAreMissingOrMisnamed_AreRefused()
    {
        string Of(string given) => Assert.Throws<ConfigException>(() => GgufCheckpoint.Open(_folder[given]).Dispose()).Message;
        WriteParts("m-00001-of-00002.gguf", "n-00002-of-00002.gguf", number: 1);
        Assert.Equal(
            $"{_folder["m-00001-of-00002.gguf"]}: is part 1 of 2 of a split model, and part 2 (m-00002-of-00002.gguf) is missing; "
                + "allowed: all parts in one folder", Of("m-00001-of-00002.gguf"));
        WriteParts("x.gguf", "m-00002-of-00002.gguf", number: 1);
        Assert.Contains(
            "is part 1 of 2 of a split model; allowed: a name that ends with -00001-of-00002.gguf", Of("x.gguf"), StringComparison.Ordinal);
        WriteParts("m-00001-of-00002.gguf", "m-00002-of-00002.gguf", number: 0);
        Assert.Contains("key 'split.no' is 0; allowed: 1, as the file's name says", Of("m-00001-of-00002.gguf"), StringComparison.Ordinal);
    }

    private void WriteParts(string first, string second, uint number)
    {
        Small().Add("split.no", 0u).Add("split.count", 2u).Add("split.tensors.count", 2u).Write(_folder[first]);
        new GgufBuilder { Data = new byte[8192] }.Add("split.no", number).Add("split.count", 2u).AddTensor("output_norm.weight", 0, 0, 64)
            .Write(_folder[second]);
    }

    [Theory]
    [MemberData(nameof(BadNumbers))]
    public void Numbers_ThatDoNotFit_AreRefusedInOneLine(string key, uint value, string message) =>
        Assert.Equal(message, Refusal(Small(key).Add(key, value)));

    [Fact]
    public void Architectures_ThatAreNotKnown_AreRefused() =>
        Assert.Equal(
            "key 'general.architecture' is 'gemma3'; allowed: llama, qwen2, qwen3, granite, phi3, smollm3",
                Refusal(new GgufBuilder().Add("general.architecture", "gemma3")));

    [Fact]
    public void Embedding_ThatIsMissing_IsRefused()
    {
        var file = new GgufBuilder();
        AddKeys(file, "");
        Assert.Equal("tensor 'token_embd.weight' is missing", Refusal(file));
    }

    /// <summary>Messages name a tensor as the file does.</summary>
    [Theory]
    [InlineData("llama", "model.layers.31.self_attn.q_proj.weight", "blk.31.attn_q.weight")]
    [InlineData("qwen2", "model.layers.0.self_attn.v_proj.bias", "blk.0.attn_v.bias")]
    [InlineData("phi3", "model.layers.2.mlp.gate_up_proj.weight", "blk.2.ffn_up.weight")]
    [InlineData("llama", "lm_head.weight", "output.weight")]
    [InlineData("llama", "model.layers.x.y", "model.layers.x.y")]
    public void Names_OfHuggingFace_HaveThoseOfTheFile(string family, string name, string own) =>
        Assert.Equal(own, GgufTensorNames.OfHuggingFace(name, FamilyTable.Of(family)));

    [Theory]
    [InlineData(4, 0, "is F32 [4]; allowed: F32 [8]")]
    [InlineData(8, 1, "is F16 [8]; allowed: F32 [8]")]
    [InlineData(8, 0, "has a factor that is not above 0")]
    public void RopeFactors_ThatDoNotFit_AreRefused(ulong length, uint type, string message) =>
        Assert.Equal($"tensor 'rope_freqs.weight' {message}", Refusal(Small().AddTensor("rope_freqs.weight", type, 4096, length)));

    [Fact]
    public void QueryRows_ThatAreNoWholeHeads_AreRefused() =>
        Assert.Equal(
            "tensor 'blk.0.attn_q.weight' has 40 rows; allowed: a multiple of the head width 16",
            Refusal(Small().AddTensor("blk.0.attn_q.weight", 1, 4096, 4, 40)));

    [Fact]
    public void Shapes_ThatDoNotFit_AreToldOfTheFilesOwnTensor()
    {
        using var checkpoint = GgufCheckpoint.Open(Small().AddTensor("output_norm.weight", 0, 4096, 32).Write(_folder["x.gguf"]));
        Assert.Contains(
            "tensor 'output_norm.weight' has shape [32]; the configuration asks for [64]",
            Assert.Throws<ConfigException>(() => checkpoint.Header("model.norm.weight", 64)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static GgufBuilder Small(string without = "")
    {
        var builder = new GgufBuilder { Data = new byte[8192] }.AddTensor("token_embd.weight", 1, 0, 64, 32);
        return AddKeys(builder, without);
    }

    private static GgufBuilder AddKeys(GgufBuilder builder, string without)
    {
        builder.Add("general.architecture", "llama").Add("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        foreach (var (key, value) in new (string, uint)[]
        {
            ("llama.embedding_length", 64), ("llama.attention.head_count", 4), ("llama.attention.head_count_kv", 2),
                ("llama.block_count", 2),
            ("llama.context_length", 100), ("llama.feed_forward_length", 96),
        })
            if (key != without) builder.Add(key, value);
        return builder;
    }

    private string Refusal(GgufBuilder builder)
    {
        var path = builder.Write(_folder["x.gguf"]);
        var message = Assert.Throws<ConfigException>(() => GgufCheckpoint.Open(path).Dispose()).Message;
        Assert.StartsWith($"{path}: ", message, StringComparison.Ordinal);
        return message[(path.Length + 2)..];
    }
}
