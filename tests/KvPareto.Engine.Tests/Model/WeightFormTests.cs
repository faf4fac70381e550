using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Testing;

namespace KvPareto.Engine.Tests.Model;

public class WeightFormTests
{
    [Theory]
    [InlineData("gguf/llama128-F16.gguf", "f16", 16, 0)]
    [InlineData("gguf/llama128-Q4_1.gguf", "q4_1", 4, 0)]
    [InlineData("gguf/llama256-Q4_K_M.gguf", "q4_k_m", 4, 0)]
    [InlineData("gguf/llama256-Q6_K.gguf", "q6_k", 6, 0)]
    [InlineData("gguf/qwen128-Q8_0.gguf", "q8_0", 8, 0)]
    [InlineData("awq/llama-g128", "awq4g128", 4, 128)]
    [InlineData("awq/qwen2-g64", "awq4g64", 4, 64)]
    public void Form_IsWhatTheFileSays(string model, string word, int bits, int group)
    {
        using var checkpoint = ModelSource.Open(TestData.Golden(model.Split('/'))).OpenCheckpoint();
        var form = checkpoint.Form;
        Assert.Equal((word, bits, group), (form?.Word, form?.Bits, form?.Group));
        Assert.True(WeightForm.TryRead(word, out var read, out var rest));
        Assert.Equal((form, ""), (read, rest));
    }

    [Fact]
    public void Form_IsNoneForPlainWeights()
    {
        using var folder = new ScratchFolder();
        using var checkpoint = ModelSource.Open(new TinyModel().Write(folder.Root)).OpenCheckpoint();
        Assert.Null(checkpoint.Form);
    }
}
