using System.Runtime.InteropServices;
using KvPareto.Cpu;
using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Checkpoints.Gguf;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Model;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Settings;
using KvPareto.Engine.Tests.Checkpoints.Gguf;
using KvPareto.Testing;

namespace KvPareto.Engine.Tests.Generation;

/// <summary>Golden models of families with keys, names or row orders of their own in GGUF, written as such files.</summary>
public sealed class GgufFamilyTests
{
    private const uint F32 = 0;
    private const uint BF16 = 30;
    private const double LogitTolerance = 1e-4;

    private static readonly (string HuggingFace, string Gguf)[] Names =
    [
        ("model.layers.", "blk."), ("model.embed_tokens", "token_embd"), ("model.norm", "output_norm"), ("lm_head", "output"),
            ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"), ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"),
            ("self_attn.v_proj", "attn_v"), ("self_attn.o_proj", "attn_output"),
        ("self_attn.qkv_proj", "attn_qkv"), ("mlp.gate_up_proj", "ffn_up"), ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"),
            ("mlp.down_proj", "ffn_down"),
    ];

    [Theory]
    [InlineData("granite", true)]
    [InlineData("smollm3", true)]
    [InlineData("phi3", false)]
    [InlineData("phi4mini", false)]
    public void Logits_EqualTransformers(string model, bool isReordered)
    {
        using var folder = new ScratchFolder();
        var config = ModelConfigReader.Read(TestData.Golden("models", model, "config.json"));
        var file = Write(folder["x.gguf"], model, config, isReordered);
        using var backend = new CpuBackend();
        using var checkpoint = GgufCheckpoint.Open(file);
        using var weights = TransformerWeights.Load(backend, checkpoint, WeightSpec.Full);
        var expectedFile = TestData.Golden("models", model, "expected.safetensors");
        var setting = InferenceSetting.Parse("w16a16-k32v32");
        var actual = AllLogits.Of(new Transformer(backend, checkpoint.Config, weights), setting, TensorFile.Ids(expectedFile, "input_ids"));
        var expected = TensorFile.Floats(expectedFile, "logits");
        var difference = Math.Sqrt(expected.Zip(actual, (a, b) => Math.Pow(a - b, 2)).Sum() / expected.Sum(a => (double)a * a));
        Assert.InRange(difference, 0, LogitTolerance);
        Assert.Equal(config.Family, checkpoint.Config.Family);
    }

    private static string Write(string path, string model, ModelConfig config, bool isReordered)
    {
        using var source = SafeTensorsFile.Open(TestData.Golden("models", model, "model.safetensors"));
        var tensors =
            source.Tensors.Values.Select(
            tensor => (Name: GgufName(tensor.Name), Type: BF16, Shape: tensor.Shape.Reverse().Select(length => (ulong)length)
                .ToArray(), Bytes: Bytes(tensor, config, isReordered))).ToList();
        if (config.Rope.Form!.Scaling is LongRopeScaling longRope)
        {
            tensors.Add(("rope_factors_short.weight", F32, [(ulong)longRope.ShortFactors.Length],
                MemoryMarshal.AsBytes<float>(longRope.ShortFactors).ToArray()));
            tensors.Add(("rope_factors_long.weight", F32, [(ulong)longRope.LongFactors.Length],
                MemoryMarshal.AsBytes<float>(longRope.LongFactors).ToArray()));
        }
        var data = new List<byte>();
        var offsets = new List<ulong>();
        foreach (var tensor in tensors)
        {
            offsets.Add((ulong)data.Count);
            data.AddRange(tensor.Bytes);
            data.AddRange(new byte[(32 - data.Count % 32) % 32]);
        }
        var builder = new GgufBuilder { Data = [.. data] };
        AddKeys(builder, config);
        foreach (var (index, tensor) in tensors.Index()) builder.AddTensor(tensor.Name, tensor.Type, offsets[index], tensor.Shape);
        return builder.Write(path);
    }

    private static void AddKeys(GgufBuilder builder, ModelConfig config)
    {
        var prefix = config.Family + ".";
        builder.Add("general.architecture", config.Family).Add("general.type", "model").Add("general.quantization_version", 2)
            .Add(prefix + "vocab_size", (uint)config.VocabularySize).Add(prefix + "context_length", (uint)config.MaxPositions)
            .Add(prefix + "embedding_length", (uint)config.HiddenSize).Add(prefix + "block_count", (uint)config.LayerCount)
            .Add(prefix + "feed_forward_length", (uint)config.FeedForwardSize).Add(prefix + "attention.head_count", (uint)config.QueryHeads)
            .Add(prefix + "attention.head_count_kv", (uint)config.KvHeads)
                .Add(prefix + "attention.layer_norm_rms_epsilon", config.NormEpsilon)
            .Add(prefix + "rope.freq_base", (float)config.Rope.Form!.Theta)
                .Add(prefix + "rope.dimension_count", (uint)config.Rope.TurnedChannels);
        if (config.LayerWindows[0] > 0) builder.Add(prefix + "attention.sliding_window", (uint)config.LayerWindows[0]);
        if (config.Rope.Form.Scaling is LongRopeScaling longRope)
            builder.Add(prefix + "rope.scaling.original_context_length", (uint)longRope.OriginalPositions)
                .Add(prefix + "rope.scaling.attn_factor", (float)longRope.AttentionFactor);
        if (config.Family == "granite")
        {
            builder.Add(prefix + "embedding_scale", config.EmbeddingMultiplier).Add(prefix + "residual_scale", config.ResidualMultiplier)
                .Add(prefix + "attention.scale", config.AttentionMultiplier!.Value).Add(prefix + "logit_scale", config.LogitDivisor);
        }
    }

    private static string GgufName(string name) =>
        Names.Aggregate(name, (text, pair) => text.Replace(pair.HuggingFace, pair.Gguf, StringComparison.Ordinal));

    // As ggml's converter does: the two halves of a head alternate.
    private static byte[] Bytes(HostTensor tensor, ModelConfig config, bool isReordered)
    {
        var bytes = tensor.Bytes.ToArray();
        if (!isReordered
            || !(tensor.Name.Contains("q_proj", StringComparison.Ordinal)
            || tensor.Name.Contains("k_proj", StringComparison.Ordinal))) return bytes;
        var (rowBytes, d) = (bytes.Length / (int)tensor.Shape[0], config.HeadDim);
        var result = new byte[bytes.Length];
        for (var row = 0; row < tensor.Shape[0]; row++)
        {
            var (head, place) = (row / d * d, row % d);
            bytes.AsSpan(row * rowBytes, rowBytes).CopyTo(result.AsSpan((head + 2 * (place % (d / 2)) + place / (d / 2)) * rowBytes));
        }
        return result;
    }
}
