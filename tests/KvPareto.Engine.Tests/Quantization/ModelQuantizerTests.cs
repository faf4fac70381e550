using System.Text.Json.Nodes;
using KvPareto.Cpu;
using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Engine.Quantization;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Quantization;

public sealed unsafe class ModelQuantizerTests
{
    public static TheoryData<string, int, int> Models() => new()
    {
        { "llama", 2, 4 },
        { "llama", 4, 4 }, // as many key heads as heads: o is scaled too
        { "qwen2", 2, 4 },
        { "qwen3", 2, 4 },
        { "mistral", 4, 8 },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void Awq_ChangesTheCalibrationsLogitsLessThanRtn(string family, int kvHeads, int bits)
    {
        using var folder = new ScratchFolder();
        var model = Model(family, kvHeads).Write(folder["model"]);
        var texts = Texts();
        var choices = Quantize(model, folder["awq"], new(QuantizeMethod.Awq, bits, 32), texts);
        Quantize(model, folder["rtn"], new(QuantizeMethod.Rtn, bits, 32), []);
        var exact = ModelLogits.Of(model, texts);
        var (awq, rtn) = (Distance(exact, ModelLogits.Of(folder["awq"], texts)), Distance(exact, ModelLogits.Of(folder["rtn"], texts)));
        // The less there is to lose, the less there is to win.
        Assert.True(awq < (bits == 4 ? 0.95 : 1) * rtn, $"{awq} {rtn}");
        Assert.InRange(rtn, 0, Distance(exact, new float[exact.Length]) / 4);
        var names = choices[0].Select(choice => choice.Inputs).ToArray();
        Assert.Equal(kvHeads == 4 ? ["q, k, v", "o", "gate, up", "down"] : ["q, k, v", "gate, up", "down"], names);
        Assert.All(choices.SelectMany(choice => choice), choice => Assert.InRange(choice.Loss, 0, choice.LossAtZero));
    }

    [Fact]
    public void Rtn_RoundsEveryLinearLayerAndKeepsTheRest()
    {
        using var folder = new ScratchFolder();
        var model = Model("qwen2", 2).Write(folder["model"]);
        folder.Write("model/tokenizer.json", "{}");
        Quantize(model, folder["rtn"], new(QuantizeMethod.Rtn, 4, 32), []);
        Assert.Equal("{}", File.ReadAllText(Path.Combine(folder["rtn"], "tokenizer.json")));
        using var source = SafeTensorsFile.Open(Path.Combine(model, "model.safetensors"));
        using var written = SafeTensorsFile.Open(Path.Combine(folder["rtn"], "model.safetensors"));
        foreach (var (name, tensor) in source.Tensors.Where(pair => !pair.Key.Contains("_proj", StringComparison.Ordinal)))
        {
            Assert.Equal(tensor.Type, written.Tensors[name].Type);
            Assert.Equal(tensor.Bytes, written.Tensors[name].Bytes);
        }
        Assert.Equal(14, written.Tensors.Count(pair => pair.Key.EndsWith(".qweight", StringComparison.Ordinal)));
        Assert.DoesNotContain(written.Tensors.Keys, name => name.EndsWith("_proj.weight", StringComparison.Ordinal));
        Assert.Equal(TensorType.F16, written.Tensors["model.layers.0.self_attn.q_proj.bias"].Type);

        using var backend = new CpuBackend(1);
        using var checkpoint = SafeTensorsCheckpoint.Open(folder["rtn"]);
        using var weights = TransformerWeights.Load(backend, checkpoint, WeightSpec.Full);
        var weight = (CpuWeight)weights.Layers[1].Down;
        var expected = LinearMatrix.Floats(SafeTensorsCheckpoint.Open(model), weight.Name, new());
        HalfRounding.Round(expected);
        var row = new float[weight.ColumnCount];
        fixed (float* e = expected, r = row)
            for (var n = 0; n < weight.RowCount; n++)
            {
                for (var k = 0; k < row.Length; k += 32) AwqCodec.Reconstruct(e + n * row.Length + k, 32, 4, e + n * row.Length + k);
                weight.DecodeRow(n, r);
                Assert.Equal(expected.AsSpan(n * row.Length, row.Length).ToArray(), row);
            }
    }

    [Theory]
    [InlineData("tokenizer.json")]
    [InlineData("config.json")]
    public void WriteFiles_OnAFullDisk_NamesTheFile(string name)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("/dev/full is Linux's");
        using var folder = new ScratchFolder();
        var model = Model("qwen2", 2).Write(folder["model"]);
        folder.Write("model/tokenizer.json", "{}");
        using var made = new QuantizedFolder(folder["made"]);
        File.CreateSymbolicLink(made[name], "/dev/full");
        var error = Assert.Throws<IOException>(
            () => made.WriteFiles(ModelSource.Open(model), new(QuantizeMethod.Rtn, 4, 32)));
        Assert.Equal($"No space left on device : '{made[name]}'", error.Message);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void Run_WritesWhatAGroupOfAWholeRowReads(int bits)
    {
        using var folder = new ScratchFolder();
        var model = (Model("qwen2", 4) with { FeedForward = 64 }).Write(folder["model"]);
        Quantize(model, folder["out"], new(QuantizeMethod.Rtn, bits, 64), []);
        var expected = ModelLogits.Of(folder["out"], Texts());
        var file = Path.Combine(folder["out"], "config.json");
        File.WriteAllText(file, File.ReadAllText(file).Replace("\"group_size\": 64", "\"group_size\": -1", StringComparison.Ordinal));
        Assert.Equal(-1, SafeTensorsCheckpoint.Open(folder["out"]).Config.Quantization!.GroupSize);
        Assert.Equal(expected, ModelLogits.Of(folder["out"], Texts()));
    }

    [Fact]
    public void Run_WritesTheConfigurationAndGivesTheSameBytesForAnyNumberOfWorkers()
    {
        using var folder = new ScratchFolder();
        var model = Model("llama", 2).Write(folder["model"]);
        foreach (var workers in (int[])[1, 3]) Quantize(model, folder[$"out{workers}"], new(QuantizeMethod.Awq, 4, 64), Texts(), workers);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(folder["out1"], "model.safetensors")),
                File.ReadAllBytes(Path.Combine(folder["out3"], "model.safetensors")));
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder["out1"], "config.json")))!;
        Assert.Equal(
            """{"bits":4,"group_size":64,"modules_to_not_convert":null,"quant_method":"awq","version":"gemm","zero_point":true}""",
            config["quantization_config"]!.ToJsonString());
        Assert.Equal(("float16", "llama"), ((string?)config["torch_dtype"], (string?)config["model_type"]));
        Assert.Equal(
            ["model", "out1", "out3"], Directory.GetFileSystemEntries(folder.Root).Select(path => Path.GetFileName(path))
                .Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(3, 32, "--bits 3; allowed: 4, 8")]
    [InlineData(4, 48, "--group 48; allowed: 32, 64, 128")]
    [InlineData(4, 128, "--group 128 does not divide all of the linear layers' input widths 64, 128, 192; allowed: 32, 64")]
    public void Run_RefusesOptions(int bits, int group, string expected)
    {
        using var folder = new ScratchFolder();
        var model = Model("llama", 2).Write(folder["model"]);
        Assert.EndsWith(
            expected, Refusal(() => Quantize(model, folder["out"], new(QuantizeMethod.Rtn, bits, group), [])), StringComparison.Ordinal);
        Assert.Equal([model], Directory.GetFileSystemEntries(folder.Root));
    }

    [Fact]
    public void Run_LeavesNothingBehindAFailure()
    {
        using var folder = new ScratchFolder();
        var model = Model("llama", 2).Write(folder["model"]);
        var options = new QuantizeOptions(QuantizeMethod.Awq, 4, 32);
        Assert.StartsWith(
            "the calibration has no tokens", Refusal(() => Quantize(model, folder["out"], options, [])), StringComparison.Ordinal);
        Assert.StartsWith(
            "token id 160 in the calibration", Refusal(() => Quantize(model, folder["out"], options, [[1, 160]])),
                StringComparison.Ordinal);
        Assert.StartsWith(
            "a calibration text has 1025 tokens", Refusal(() => Quantize(model, folder["out"], options, [new int[1025]])),
                StringComparison.Ordinal);
        using (var cancelled = new CancellationTokenSource())
        using (var backend = new CpuBackend(1))
        {
            var before = backend.Memory.Live;
            Assert.Throws<OperationCanceledException>(
                () => ModelQuantizer.Run(
                    backend, ModelSource.Open(model), folder["out"], options, Texts(), _ => cancelled.Cancel(), cancelled.Token));
            Assert.Equal(before, backend.Memory.Live);
        }
        Assert.Equal([model], Directory.GetFileSystemEntries(folder.Root));

        folder.Write("full/x", "");
        Assert.Equal(
            $"--out {folder["full"]} is not empty; allowed: a folder that does not exist or is empty",
                Refusal(() => Quantize(model, folder["full"], options, Texts())));
        Quantize(model, folder["out"], options with { Method = QuantizeMethod.Rtn }, []);
        Assert.Contains(
            "key 'quantization_config' is there already", Refusal(() => Quantize(folder["out"], folder["again"], options, Texts())),
                StringComparison.Ordinal);
    }

    private static TinyModel Model(string family, int kvHeads) =>
        new() { Family = family, KvHeads = kvHeads, HeadDim = kvHeads == 4 ? 16 : 32, FeedForward = 192 };

    private static int[][] Texts()
    {
        var random = new Random(3);
        return [.. Enumerable.Range(0, 6).Select(text => Enumerable.Range(0, 40 + text).Select(_ => random.Next(160)).ToArray())];
    }

    private static List<IReadOnlyList<ScaleChoice>> Quantize(
        string model, string output, QuantizeOptions options, int[][] texts, int workers = 2)
    {
        using var backend = new CpuBackend(workers);
        var before = backend.Memory.Live;
        var choices = new List<IReadOnlyList<ScaleChoice>>();
        ModelQuantizer.Run(backend, ModelSource.Open(model), output, options, texts, layer => choices.Add(layer.Choices));
        Assert.Equal(before, backend.Memory.Live);
        return choices;
    }

    private static string Refusal(Action action)
    {
        var message = Assert.Throws<ConfigException>(action).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private static double Distance(float[] a, float[] b) => a.Zip(b, (x, y) => Math.Pow(x - y, 2)).Sum();
}
