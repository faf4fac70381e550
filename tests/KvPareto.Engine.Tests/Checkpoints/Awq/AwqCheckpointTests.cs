using System.Text.Json.Nodes;
using KvPareto.Cpu;
using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Model;
using KvPareto.Engine.Tests.Quantization;
using KvPareto.Engine.Weights;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Checkpoints.Awq;

public sealed unsafe class AwqCheckpointTests
{
    private const double LogitTolerance = 1e-4;

    [Theory]
    [MemberData(nameof(AwqGolden.Layers), MemberType = typeof(AwqGolden))]
    public void Load_DequantizesBitForBit(string model, string layer)
    {
        using var backend = new CpuBackend(2);
        using var checkpoint = SafeTensorsCheckpoint.Open(AwqGolden.Folder(model));
        using var weights = TransformerWeights.Load(backend, checkpoint, WeightSpec.Full);
        var weight = (CpuWeight)weights.Layers.SelectMany(one => one.All).Single(one => one.Name == layer + ".weight");
        Assert.Equal(WeightFormat.W4, weight.Format);
        var expected = AwqGolden.Read<int>(AwqGolden.Expected(model), $"dequantized.{layer}.weight");
        var row = new float[weight.ColumnCount];
        for (var n = 0; n < weight.RowCount; n++)
        {
            fixed (float* data = row) weight.DecodeRow(n, data);
            for (var k = 0; k < row.Length; k++) Assert.Equal(expected[n * row.Length + k], BitConverter.SingleToInt32Bits(row[k]));
        }
    }

    [Theory]
    [InlineData("llama-g128", null)]
    [InlineData("llama-g128", 5)]
    [InlineData("qwen2-g64", null)]
    [InlineData("qwen2-g64", 7)]
    public void Logits_AreThoseOfTheDequantizedModel(string model, int? chunk)
    {
        var (ids, expected) =
            (TensorFile.Ids(AwqGolden.Expected(model), "input_ids"), TensorFile.Floats(AwqGolden.Expected(model), "logits"));
        var actual = ModelLogits.Of(AwqGolden.Folder(model), [.. ids.Chunk(24)], chunk);
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < actual.Length; i++) Assert.InRange(actual[i] - expected[i], -LogitTolerance, LogitTolerance);
    }

    [Fact]
    public void Load_KeepsTheLayersPacked()
    {
        using var backend = new CpuBackend(1);
        var scratch = backend.Memory.Live;
        using var checkpoint = SafeTensorsCheckpoint.Open(AwqGolden.Folder("llama-g128"));
        using var weights = TransformerWeights.Load(backend, checkpoint, WeightSpec.Full);
        Assert.Equal(scratch with { Weights = weights.ByteCount }, backend.Memory.Live);
        Assert.Equal(256 * 512 / 2 + 256 * 512 / 128 * GroupMeta.ByteSize, weights.Layers[0].Down.ByteCount);
    }

    [Fact]
    public void Load_CodesTheEmbeddingOfAPackedModel()
    {
        using var backend = new CpuBackend(1);
        using var checkpoint = SafeTensorsCheckpoint.Open(AwqGolden.Folder("qwen2-g64"));
        using var weights = TransformerWeights.Load(backend, checkpoint, new(16, 64, 4));
        Assert.Equal((WeightFormat.W4, WeightFormat.W4), (weights.Embedding.Format, weights.Layers[1].Gate.Format));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void Load_RefusesToCodeTwice(int bits)
    {
        using var backend = new CpuBackend(1);
        using var checkpoint = SafeTensorsCheckpoint.Open(AwqGolden.Folder("qwen2-g64"));
        var error = Assert.Throws<ConfigException>(() => TransformerWeights.Load(backend, checkpoint, new(bits, 64)));
        Assert.Equal(
            $"weight bits {bits}: the checkpoint's linear layers are packed by AWQ at 4 bits already; allowed: 16, which takes them as "
                + "they are", error.Message);
    }

    [Theory]
    [InlineData("quant_method", "\"gptq\"", "'quantization_config.quant_method' is \"gptq\"; allowed: awq")]
    [InlineData("version", "\"gemv\"", "'quantization_config.version' is \"gemv\"; allowed: gemm, GEMM")]
    [InlineData("zero_point", "false", "'quantization_config.zero_point' is false; allowed: true")]
    [InlineData("bits", "3", "'quantization_config.bits' is 3; allowed: ")]
    [InlineData("bits", "5", "'quantization_config.bits' is 5; allowed: 4, 8")]
    [InlineData("group_size", "0", "'quantization_config.group_size' is 0; allowed: -1 or a multiple of 32")]
    [InlineData("group_size", "48", "'quantization_config.group_size' is 48; allowed: -1 or a multiple of 32")]
    [InlineData("modules_to_not_convert", "[1]", "'quantization_config.modules_to_not_convert' is [1]; allowed: a list of")]
    [InlineData("group_size", "512",
        "model.layers.0.self_attn.q_proj.qweight' has 256 input channels; group_size 512 asks for a multiple of 512")]
    [InlineData("group_size", "64", "model.layers.0.self_attn.q_proj.qzeros' has shape [2, 32]; the configuration asks for [4, 32]")]
    [InlineData("bits", "8", "model.layers.0.self_attn.q_proj.qweight' has shape [256, 32]; the configuration asks for [256, 64]")]
    [InlineData("modules_to_not_convert", "[\"k_proj\"]",
        "model.layers.0.self_attn.k_proj.weight' is missing; the configuration asks for one of shape [128, 256]")]
    public void Load_RefusesOtherLayouts(string key, string value, string expected)
    {
        using var folder = new ScratchFolder();
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(AwqGolden.Folder("llama-g128"), "config.json")))!;
        config["quantization_config"]![key] = JsonNode.Parse(value);
        folder.Write("config.json", config.ToJsonString());
        File.Copy(Path.Combine(AwqGolden.Folder("llama-g128"), "model.safetensors"), folder["model.safetensors"]);
        Assert.Contains(expected, Refusal(folder.Root), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("qweight", null, "is missing; the configuration asks for one of shape [256, 32]")]
    [InlineData("qzeros", null, "is missing; the configuration asks for one of shape [2, 32]")]
    [InlineData("scales", null, "is missing; the configuration asks for one of shape [2, 256]")]
    [InlineData("qweight", TensorType.U32, "is of type U32; allowed: I32")]
    [InlineData("qzeros", TensorType.F32, "is of type F32; allowed: I32")]
    [InlineData("scales", TensorType.BF16, "is of type BF16; allowed: F16")]
    public void Load_RefusesDamagedTensors(string part, TensorType? type, string expected)
    {
        using var folder = new ScratchFolder();
        var name = "model.layers.1.self_attn.q_proj." + part;
        Rewrite(folder, name, type, bytes => { });
        Assert.Equal($"{folder["model.safetensors"]}: tensor '{name}' {expected}", Refusal(folder.Root));
    }

    [Theory]
    [InlineData(0x7C00)]
    [InlineData(0x7E01)]
    [InlineData(0x8001)]
    public void Load_RefusesScalesThatAreNone(int bits)
    {
        using var folder = new ScratchFolder();
        var name = "model.layers.1.mlp.up_proj.scales";
        Rewrite(folder, name, TensorType.F16, bytes => BitConverter.TryWriteBytes(bytes.AsSpan(2 * 700), (ushort)bits));
        Assert.EndsWith(
            $"tensor '{name}' holds a scale that is negative or not finite", Refusal(folder.Root, holdsBadValues: true),
            StringComparison.Ordinal);
    }

    [Fact]
    public void QuantConfigFiles_OfTwentyTwentyThree_AreRead()
    {
        using var folder = new ScratchFolder();
        var config = new TinyModel().Config();
        folder.Write("config.json", config.ToJsonString());
        Assert.Null(ModelConfigReader.Read(folder["config.json"]).Quantization);
        folder.Write("quant_config.json", """{"zero_point": true, "q_group_size": 64, "w_bit": 4, "version": "GEMM"}""");
        Assert.Equal(
            (4, 64), (ModelConfigReader.Read(folder["config.json"]).Quantization!.Bits, ModelConfigReader.Read(folder["config.json"])
                .Quantization!.GroupSize));
        folder.Write("quant_config.json", """{"zero_point": true, "q_group_size": 64, "w_bit": 3, "version": "GEMM"}""");
        Assert.Equal(
            $"{folder["quant_config.json"]}: key 'w_bit' is 3; allowed: 4, 8",
                Assert.Throws<ConfigException>(() => ModelConfigReader.Read(folder["config.json"])).Message);
    }

    [Theory]
    [InlineData("\"format\":\"marlin\"", "key 'quantization_config.format' is \"marlin\"; allowed: gemm, GEMM")]
    [InlineData("\"checkpoint_format\":\"gemv\"", "key 'quantization_config.checkpoint_format' is \"gemv\"; allowed: gemm, GEMM")]
    [InlineData("\"sym\":true", "key 'quantization_config.sym' is true; allowed: false")]
    [InlineData("\"rotation\":\"hadamard\"",
        "key 'quantization_config.rotation' is \"hadamard\"; it is not known here and may change what the model computes; allowed: null")]
    public void Keys_ThatChangeThePacking_AreRefused(string pair, string expected)
    {
        using var folder = new ScratchFolder();
        var config = new TinyModel().Config();
        config["quantization_config"] = System.Text.Json.Nodes.JsonNode.Parse($$"""{"quant_method":"awq","bits":4,"group_size":32,{{pair}}}""");
        var path = folder.Write("config.json", config.ToJsonString());
        Assert.Equal($"{path}: {expected}", Assert.Throws<ConfigException>(() => ModelConfigReader.Read(path)).Message);
    }

    private static void Rewrite(ScratchFolder folder, string name, TensorType? type, Action<byte[]> change)
    {
        var source = AwqGolden.Folder("llama-g128");
        File.Copy(Path.Combine(source, "config.json"), folder["config.json"]);
        using var file = SafeTensorsFile.Open(Path.Combine(source, "model.safetensors"));
        var kept = file.Tensors.Values.Where(tensor => tensor.Name != name || type is not null).ToArray();
        using var writer = new SafeTensorsWriter(
            folder["model.safetensors"],
            [.. kept.Select(tensor => new TensorSpec(tensor.Name, tensor.Name == name ? type!.Value : tensor.Type, tensor.Shape))]);
        foreach (var tensor in kept)
        {
            var bytes = tensor.Bytes.ToArray();
            if (tensor.Name == name) change(bytes);
            writer.Write(tensor.Name, bytes);
        }
        writer.Complete();
    }

    private static string Refusal(string folder, bool holdsBadValues = false)
    {
        using var backend = new CpuBackend(1);
        var before = backend.Memory.Live;
        var error = Assert.Throws<ConfigException>(() =>
        {
            using var checkpoint = SafeTensorsCheckpoint.Open(folder);
            TransformerWeights.Load(backend, checkpoint, WeightSpec.Full).Dispose();
        });
        Assert.Equal(before, backend.Memory.Live);
        Assert.DoesNotContain('\n', error.Message);
        if (holdsBadValues) return error.Message;
        Assert.Equal(error.Message, Assert.Throws<ConfigException>(() =>
        {
            using var checkpoint = SafeTensorsCheckpoint.Open(folder);
            TransformerWeights.Check(checkpoint, WeightSpec.Full);
        }).Message);
        return error.Message;
    }
}
