using System.Numerics.Tensors;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Model;
using KvPareto.Testing;

namespace KvPareto.Cli.Tests.Commands;

public class LogitsCommandTests
{
    private const float LogitTolerance = 1e-3f;

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("mistral")]
    public void Logits_AreThoseOfTransformers(string name)
    {
        using var folder = new ScratchFolder();
        var (model, expected) = (TestData.Golden("models", name), TestData.Golden("models", name, "expected.safetensors"));
        var ids = TensorFile.Ids(expected, "input_ids");
        var run = CommandRun.Of(
            "logits", model, "--ids", string.Join(',', ids), "--setting", "w16a16-k32v32", "--chunk", "64", "--threads", "2", "--out",
                folder["a.safetensors"]);
        Assert.Equal((0, "", folder["a.safetensors"]), (run.Code, run.Error, run.Output.TrimEnd()));
        using (var file = SafeTensorsFile.Open(folder["a.safetensors"]))
        {
            var tensor = Assert.Single(file.Tensors);
            Assert.Equal(("logits", TensorType.F32), (tensor.Key, tensor.Value.Type));
            Assert.Equal([ids.Length, 512], tensor.Value.Shape);
        }
        Assert.InRange(
            Distance(TensorFile.Floats(folder["a.safetensors"], "logits"), TensorFile.Floats(expected, "logits")), 0, LogitTolerance);
    }

    [Fact]
    public void SeveralSettings_GetAFileEach()
    {
        using var folder = new ScratchFolder();
        string[] settings = ["w16a16-k16v16", "w16a16-k2v2-t32"];
        var run = CommandRun.Of(
            "logits", TestData.Golden("models", "llama"), "--ids", "1, 2,3", "--setting", settings[0], "--setting", settings[1],
                "--setting", settings[0],
            "--threads", "1", "--out", folder["a.safetensors"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        var files = run.Output.TrimEnd().ReplaceLineEndings("\n").Split('\n');
        Assert.Equal(settings.Select(setting => folder[$"a.{setting}.safetensors"]), files);
        Assert.NotInRange(Distance(TensorFile.Floats(files[0], "logits"), TensorFile.Floats(files[1], "logits")), 0, LogitTolerance);
    }

    [Theory]
    [InlineData("--ids 'x'; allowed: token ids joined by commas: 1,2,3", "--ids", "1,x", "--out", "OUT")]
    [InlineData("give one of --ids 1,2,3 and --text-file F", "--out", "OUT")]
    [InlineData("--out 'a.npy'; allowed: a file that ends in .safetensors", "--ids", "1", "--out", "a.npy")]
    [InlineData("tokenizer", "--text-file", "-", "--out", "OUT")]
    [InlineData("vocab", "--ids", "1,512", "--out", "OUT")]
    [InlineData("the text has 4097 tokens; allowed: up to the model's 4096 positions", "--ids", "LONG", "--out", "OUT")]
    [InlineData("head_dim", "--ids", "1", "--setting", "w16a16-k4v4-t48", "--out", "OUT")]
    public void Mistake_IsSaid(string expected, params string[] arguments)
    {
        using var folder = new ScratchFolder();
        var run = CommandRun.Of(["logits", TestData.Golden("models", "llama"), .. arguments.Select(argument => argument switch
        {
            "OUT" => folder["a.safetensors"],
            "LONG" => string.Join(',', Enumerable.Repeat(1, 4097)),
            _ => argument,
        })]);
        Assert.Equal(2, run.Code);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["a.safetensors"]));
    }

    private static float Distance(float[] left, float[] right)
    {
        var difference = new float[left.Length];
        TensorPrimitives.Subtract(left, right, difference);
        return Math.Abs(TensorPrimitives.MaxMagnitude<float>(difference));
    }
}
