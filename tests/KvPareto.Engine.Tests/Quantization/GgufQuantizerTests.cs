using System.Runtime.InteropServices;
using KvPareto.Cpu;
using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Checkpoints.Gguf;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Quantization;
using KvPareto.Engine.Tests.Checkpoints.Config;
using KvPareto.Engine.Tests.Checkpoints.Gguf;
using KvPareto.Engine.Weights;
using KvPareto.Testing;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;

namespace KvPareto.Engine.Tests.Quantization;

/// <summary>Folders made of GGUF files: plain ones, tied ones with rotary factors and wide heads, and ones with biases.</summary>
public sealed unsafe class GgufQuantizerTests
{
    public static TheoryData<string, int, int> Models => new()
    {
        { "llama128-F16", 4, 64 },
        { "llama128x-Q4_K_M", 4, 32 },
        { "qwen256-Q4_K_M", 4, 128 },
        { "llama128-F16", 8, 32 },
        { "llama128x-Q4_K_M", 8, 32 },
        { "qwen256-Q4_K_M", 8, 32 },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void Rtn_WritesTheFilesValuesInCodes(string name, int bits, int group)
    {
        using var folder = new ScratchFolder();
        var model = GgufGolden.PathOf(name + ".gguf");
        Quantize(model, folder["out"], new(QuantizeMethod.Rtn, bits, group));

        using var source = GgufCheckpoint.Open(model);
        using var written = SafeTensorsCheckpoint.Open(folder["out"]);
        ModelConfigWriterTests.AssertEqual(source.Config, written.Config);
        foreach (var tensor in source.Names.Where(tensor => !IsLinear(tensor)))
        {
            var (expected, actual) = (Floats(source, tensor), Floats(written, tensor));
            var isHalf = written.Get(tensor).Type == TensorType.F16;
            Assert.Equal(isHalf ? Array.ConvertAll(expected, value => (float)(Half)value) : expected, actual);
        }
        Assert.Equal(14, written.Names.Count(tensor => tensor.EndsWith(".qweight", StringComparison.Ordinal)));
        Assert.Equal(source.Config.TiedEmbeddings, !written.Contains("lm_head.weight"));

        using var backend = new CpuBackend(1);
        using var weights = TransformerWeights.Load(backend, written, WeightSpec.Full);
        foreach (var weight in weights.Layers.SelectMany(layer => layer.All).Where(weight => IsLinear(weight.Name)).Cast<CpuWeight>())
        {
            var expected = Floats(source, weight.Name);
            HalfRounding.Round(expected);
            var row = new float[weight.ColumnCount];
            fixed (float* e = expected, r = row)
                for (var n = 0; n < weight.RowCount; n++)
                {
                    for (var k = 0; k < row.Length; k += group)
                        AwqCodec.Reconstruct(e + n * row.Length + k, group, bits, e + n * row.Length + k);
                    weight.DecodeRow(n, r);
                    Assert.Equal(expected.AsSpan(n * row.Length, row.Length).ToArray(), row);
                }
        }
    }

    /// <summary>The folder's logits leave those of transformers on the file's values by as much as the engine's own 8 bits do.</summary>
    [Theory]
    [InlineData("llama128-F16")]
    [InlineData("llama128x-Q4_K_M")]
    [InlineData("qwen256-Q4_K_M")]
    public void Rtn_AtEightBits_KeepsTheLogits(string name)
    {
        using var folder = new ScratchFolder();
        var model = GgufGolden.PathOf(name + ".gguf");
        Quantize(model, folder["out"], new(QuantizeMethod.Rtn, 8, 32));
        var expected = TensorFile.Floats(GgufGolden.PathOf(name + ".safetensors"), "logits");
        var written = Distance(expected, ModelLogits.Of(folder["out"], [Ids(name)]));
        var coded = Distance(expected, ModelLogits.Of(model, [Ids(name)], weights: new(8, 32)));
        Assert.InRange(Math.Sqrt(written / coded), 0.5, 1.5);
        Assert.InRange(Math.Sqrt(coded / Distance(expected, new float[expected.Length])), 1e-3, 0.04);
    }

    [Theory]
    [InlineData("llama128x-Q4_K_M")]
    [InlineData("qwen256-Q4_K_M")]
    public void Awq_ChangesTheCalibrationsLogitsLessThanRtn(string name)
    {
        using var folder = new ScratchFolder();
        var model = GgufGolden.PathOf(name + ".gguf");
        int[][] texts = [Ids(name), [.. Ids(name).Reverse()]];
        Quantize(model, folder["rtn"], new(QuantizeMethod.Rtn, 4, 64));
        Quantize(model, folder["awq"], new(QuantizeMethod.Awq, 4, 64), texts);
        var exact = ModelLogits.Of(model, texts);
        var (awq, rtn) = (Distance(exact, ModelLogits.Of(folder["awq"], texts)), Distance(exact, ModelLogits.Of(folder["rtn"], texts)));
        Assert.True(awq < 0.95 * rtn, $"{awq} {rtn}");
    }

    [Fact]
    public void Folder_IsAModelOfItsOwn()
    {
        using var folder = new ScratchFolder();
        var source = ModelSource.Open(GgufGolden.PathOf("llama128x-Q4_K_M.gguf"));
        Quantize(source.Model, folder["out"], new(QuantizeMethod.Rtn, 4, 32));
        Assert.Equal(
            ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"],
            Directory.GetFiles(folder["out"]).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        var written = ModelSource.Open(folder["out"]);
        Assert.Equal(5, written.Files.Count);
        ChatMessage[] messages = [new("user", " Hello ")];
        var prompt = source.LoadChatTemplate()!.Render(messages);
        Assert.Equal(prompt, written.LoadChatTemplate()!.Render(messages));
        Assert.Equal(
            source.RequireTokenizer().Encode(prompt, addSpecialTokens: false), written.RequireTokenizer()
                .Encode(prompt, addSpecialTokens: false));
        using var backend = new CpuBackend(1);
        using var model = LanguageModel.Load(backend, written, WeightSpec.Full);
        using var before = LanguageModel.Load(backend, source, WeightSpec.Full);
        Assert.Equal(507, model.Config.BosId);
        Assert.Contains(511, model.Config.EosIds);
        Assert.Equal(before.Config.EosIds, model.Config.EosIds);
    }

    [Fact]
    public void Blocks_BeyondHalf_AreRefusedAndNothingIsLeft()
    {
        using var folder = new ScratchFolder();
        var bytes = File.ReadAllBytes(GgufGolden.PathOf("llama128-Q4_1.gguf"));
        var embedding = GgufGolden.Tensors("llama128-Q4_1")
            .Single(tensor => tensor.GetProperty("hf").GetString() == "model.embed_tokens.weight");
        MemoryMarshal.Write(bytes.AsSpan(embedding.GetProperty("at").GetInt32()), Half.MaxValue);
        MemoryMarshal.Write(bytes.AsSpan(embedding.GetProperty("at").GetInt32() + 2), Half.MaxValue);
        var model = folder.Write("x.gguf", bytes);
        Assert.Equal(
            $"{model}: tensor 'model.embed_tokens.weight' holds a value that f16 cannot; allowed: -65504 to 65504",
            Refusal(() => Quantize(model, folder["out"], new(QuantizeMethod.Rtn, 4, 32))));
        Assert.Equal([model], Directory.GetFileSystemEntries(folder.Root));
    }

    [Fact]
    public void WhatNoFolderCanBe_IsRefusedAndNothingIsLeft()
    {
        using var folder = new ScratchFolder();
        var model = SmallGguf.WithRopeFactors("llama", [1, 2, 3, 4, 5, 6, 7, 8]).Write(folder["x.gguf"]);
        var options = new QuantizeOptions(QuantizeMethod.Rtn, 4, 32);
        Assert.Contains(
            "tensor 'rope_freqs.weight' has divisors that no rope_type", Refusal(() => Quantize(model, folder["out"], options)),
                StringComparison.Ordinal);
        Assert.EndsWith(
            "--group 64 does not divide all of the linear layers' input widths 64, 64, 96; allowed: 32",
            Refusal(() => Quantize(model, folder["out"], options with { Group = 64 })), StringComparison.Ordinal);
        foreach (var weightless in (string[])["Qwen2.5-3B", "random:1:Qwen2.5-3B"])
            Assert.Equal(
                $"{weightless}: is an architecture, not a model with weights and tokenizer of its own; allowed: {ModelSource.WholeWords}",
                Refusal(() => Quantize(weightless, folder["out"], options)));
        Assert.Equal([model], Directory.GetFileSystemEntries(folder.Root));
    }

    private static void Quantize(string model, string output, QuantizeOptions options, params int[][] texts)
    {
        using var backend = new CpuBackend(2);
        var before = backend.Memory.Live;
        try
        {
            ModelQuantizer.Run(backend, ModelSource.Open(model), output, options, texts);
        }
        finally
        {
            Assert.Equal(before, backend.Memory.Live);
        }
    }

    private static bool IsLinear(string name) => name.EndsWith("_proj.weight", StringComparison.Ordinal);

    private static int[] Ids(string name) => TensorFile.Ids(GgufGolden.PathOf(name + ".safetensors"), "input_ids");

    private static float[] Floats(Checkpoint checkpoint, string name)
    {
        using var tensor = checkpoint.Get(name);
        var values = new float[tensor.Shape.Aggregate(1L, (product, length) => product * length)];
        FloatRows.Widen(tensor.Data, tensor.Header.Format, values);
        return values;
    }

    private static string Refusal(Action action)
    {
        var message = Assert.Throws<ConfigException>(action).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private static double Distance(float[] a, float[] b) => a.Zip(b, (x, y) => Math.Pow(x - y, 2)).Sum();
}
