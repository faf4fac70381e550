using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Checkpoints.Sources;

public sealed class ModelSourceTests
{
    [Theory]
    [InlineData("nowhere", "nowhere: there is no such model; allowed: a Hugging Face folder")]
    [InlineData("Qwen2.5-3b", "known architectures: Llama-3.1-8B")]
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
        Assert.Equal("some-model", ModelSource.Open(Path.Combine(model, "config.json")).Name);
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

    [Fact]
    public void FolderOfNoModel_IsRefused_AndAGgufFileInItNamed()
    {
        using var folder = new ScratchFolder();
        Assert.EndsWith("config.json is missing; allowed: a Hugging Face model folder with config.json, tokenizer.json and *.safetensors",
            WithoutTokenizer(), StringComparison.Ordinal);
        folder.Write("model-q8_0.gguf", "");
        var file = folder.Write("model-q4_k_m.gguf", "");
        Assert.EndsWith($"*.safetensors, or the file {file}", WithoutTokenizer(), StringComparison.Ordinal);
        folder.Write("config.json", "{}");
        Assert.Contains("has no tokenizer", WithoutTokenizer(), StringComparison.Ordinal);

        string WithoutTokenizer() => Assert.Throws<ConfigException>(ModelSource.Open(folder.Root).RequireTokenizer).Message;
    }

    [Fact]
    public void Open_TakesFoldersOfTheHubsCache()
    {
        using var folder = new ScratchFolder();
        var owner = folder["hub/models--Org--some-model"];
        new TinyModel().Write(Path.Combine(owner, "snapshots", "abc"));
        Assert.Equal("some-model", ModelSource.Open(owner).Name);
        Assert.Equal(160, Vocabulary(owner));
        Assert.Equal("some-model", ModelSource.Open(Path.Combine(owner, "snapshots", "abc")).Name);
        Assert.Equal(160, Vocabulary(folder["hub"]));
        Assert.Equal(160, Vocabulary(folder.Root));

        new TinyModel { Vocabulary = 192 }.Write(Path.Combine(owner, "snapshots", "def"));
        Assert.Contains(
            "is a hub cache folder with 2 snapshots and no refs/main; allowed: one of them:", Refusal(owner), StringComparison.Ordinal);
        folder.Write("hub/models--Org--some-model/refs/main", "def\n");
        Assert.Equal(192, Vocabulary(owner));
        folder.Write("hub/models--Org--some-model/refs/main", "../../x");
        Assert.Contains("names the snapshot '../../x', which is not there", Refusal(owner), StringComparison.Ordinal);
        folder.Write("hub/models--Org--other/refs/main", "abc");
        Assert.Contains("is a hub cache of 2 models; allowed: one of them:", Refusal(folder["hub"]), StringComparison.Ordinal);
    }

    [Fact]
    public void GitLfsPointers_AreCalledSo()
    {
        using var folder = new ScratchFolder();
        const string Pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n";
        var gguf = folder.Write("x.gguf", Pointer);
        Assert.Equal(
            $"{gguf}: is a Git LFS pointer, not the file itself; allowed: the file, for example by 'git lfs pull'",
                Assert.Throws<ConfigException>(() => ModelSource.Open(gguf).OpenCheckpoint()).Message);
        new TinyModel().Write(folder["m"]);
        folder.Write("m/model.safetensors", Pointer);
        Assert.Contains(
            "is a Git LFS pointer", Assert.Throws<ConfigException>(() => ModelSource.Open(folder["m"]).OpenCheckpoint())
                .Message, StringComparison.Ordinal);
        folder.Write("m/tokenizer.json", Pointer);
        Assert.Contains("tokenizer.json: is a Git LFS pointer", Refusal(folder["m"]), StringComparison.Ordinal);
    }

    /// <summary>The system itself records what is read: the time of a file's last access moves on.</summary>
    [Fact]
    public void Files_AreAllThatIsRead()
    {
        using var folder = new ScratchFolder();
        new TinyModel { Vocabulary = ByteTokenizerFile.VocabularySize }.Write(folder.Root);
        folder.Write("tokenizer.json", ByteTokenizerFile.Json());
        string[] others =
        [
            "chat_template.json", "chat_template.jinja", "special_tokens_map.json", "tokenizer_config.json", "generation_config.json",
                "added_tokens.json", "vocab.json", "merges.txt",
            "tokenizer.model", "preprocessor_config.json", "processor_config.json", "adapter_config.json", "quant_config.json",
                "quantize_config.json", "model.safetensors.index.json",
            "params.json", "README.md", "special_tokens.json", "additional_chat_templates.jinja",
        ];
        foreach (var name in others.Where(name => !File.Exists(folder[name])))
            folder.Write(name, name.EndsWith(".jinja", StringComparison.Ordinal) ? "{{ messages }}" : name == "quant_config.json" ? """{"w_bit":4,"q_group_size":32,"version":"GEMM"}""" : "{}");
        var source = ModelSource.Open(folder.Root);
        var listed = source.Files.Select(file => file.Name).ToArray();
        var before = Past(folder.Root);
        source.OpenCheckpoint().Dispose();
        source.LoadTokenizer();
        source.LoadChatTemplate();
        var read = Directory.GetFiles(folder.Root).Where(file => File.GetLastAccessTimeUtc(file) != before)
            .Select(file => Path.GetFileName(file)).ToArray();
        if (!read.Contains("config.json")) Assert.Skip("the file system does not record accesses");
        Assert.Contains("tokenizer.json", read);
        Assert.Contains("special_tokens_map.json", read);
        Assert.Empty(read.Except(listed));
    }

    // An access is recorded at the latest where the last one was before the last change.
    private static DateTime Past(string folder)
    {
        var past = new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        foreach (var file in Directory.GetFiles(folder))
        {
            File.SetLastWriteTimeUtc(file, past.AddYears(1));
            File.SetLastAccessTimeUtc(file, past);
        }
        return past;
    }

    private static string Refusal(string model) => Assert.Throws<ConfigException>(() => ModelSource.Open(model)).Message;

    private static int Vocabulary(string model)
    {
        using var checkpoint = ModelSource.Open(model).OpenCheckpoint();
        return checkpoint.Config.VocabularySize;
    }
}
