using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Checkpoints.Sources;

public sealed class ModelSourceTests
{
    [Theory]
    [InlineData("nowhere", "nowhere: there is no such model; allowed: a Hugging Face folder")]
    [InlineData("", "there is no such model")]
    [InlineData("embedded:gemma", "'embedded:gemma' is not embedded; allowed: embedded:llama")]
    [InlineData("random:", "allowed is random:SEED:ARCHITECTURE")]
    [InlineData("random:x:Qwen2.5-3B", "allowed is random:SEED:ARCHITECTURE")]
    [InlineData("random:-1:Qwen2.5-3B", "allowed is random:SEED:ARCHITECTURE")]
    [InlineData("random:99999999999999999999:Qwen2.5-3B", "allowed is random:SEED:ARCHITECTURE")]
    [InlineData("random:1", "allowed is random:SEED:ARCHITECTURE")]
    [InlineData("random:1:Qwen3.5", "there is no architecture 'Qwen3.5'; allowed: a config.json, a folder with one, Llama-3.1-8B")]
    [InlineData("random:1:../Qwen2.5-3B", "there is no architecture")]
    public void Open_RefusesInOneLine(string model, string message)
    {
        var error = Assert.Throws<ConfigException>(() => ModelSource.Open(model));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Open_TakesFoldersFilesAndNames()
    {
        using var folder = new ScratchFolder();
        var model = new TinyModel().Write(folder["some-model"]);
        Assert.Equal("some-model", ModelSource.Open(model).Name);
        Assert.Equal("some-model", ModelSource.Open(model + "/").Name);
        Assert.Equal(160, Vocabulary(model));
        Assert.Equal(160, Vocabulary(Path.Combine(model, "config.json")));
        Assert.Equal(160, Vocabulary($"random:4:{model}"));
        Assert.Equal(151936, Vocabulary("Qwen2.5-3B"));
        Assert.Equal("Qwen2.5-3B", ModelSource.Open("Qwen2.5-3B").Name);
    }

    [Fact]
    public void Architecture_HasShapesButNoTensorsAndNoTokenizer()
    {
        var source = ModelSource.Open("Mistral-7B-v0.3");
        using var checkpoint = source.OpenCheckpoint();
        var error = Assert.Throws<ConfigException>(() => checkpoint.Get("model.norm.weight"));
        Assert.Contains("random:SEED:Mistral-7B-v0.3", error.Message, StringComparison.Ordinal);
        Assert.False(source.HasTokenizer);
        Assert.Contains("--prompt-tokens", Assert.Throws<ConfigException>(source.RequireTokenizer).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FolderWithoutWeights_IsRefused_UnlessOnlyShapesAreAskedFor()
    {
        using var folder = new ScratchFolder();
        folder.Write("config.json", new TinyModel().Config().ToJsonString());
        var source = ModelSource.Open(folder.Root);
        Assert.Contains("has no weights", Assert.Throws<ConfigException>(source.OpenCheckpoint).Message, StringComparison.Ordinal);
        using var shapes = source.OpenShapes();
        Assert.True(shapes.Contains("lm_head.weight"));
    }

    private static int Vocabulary(string model)
    {
        using var checkpoint = ModelSource.Open(model).OpenCheckpoint();
        return checkpoint.Config.VocabularySize;
    }
}
