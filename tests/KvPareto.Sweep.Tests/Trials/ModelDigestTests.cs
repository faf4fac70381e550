using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Sweep.Trials;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Trials;

public class ModelDigestTests
{
    private static ModelSource Model(ScratchFolder temp, string name, params (string File, string Text)[] files)
    {
        foreach (var (file, text) in files) temp.Write($"{name}/{file}", text);
        Directory.CreateDirectory(temp[name]);
        return ModelSource.Open(temp[name]);
    }

    [Fact]
    public void Of_ChangesWithAnyFileAndNotWithThePlace()
    {
        using var temp = new ScratchFolder();
        (string, string)[] files = [("config.json", "{}"), ("tokenizer.json", "{}"), ("model.safetensors", "abc")];
        var digest = ModelDigest.Of(Model(temp, "a", files));
        Assert.Matches("^[0-9a-f]{64}$", digest);
        Assert.Equal(digest, ModelDigest.Of(Model(temp, "b", [.. files, ("README.md", "says nothing")])));
        Assert.NotEqual(digest, ModelDigest.Of(Model(temp, "c", [files[0], files[1], ("model.safetensors", "abd")])));
        Assert.NotEqual(digest, ModelDigest.Of(Model(temp, "d", [.. files, ("chat_template.jinja", "")])));
        Assert.NotEqual(digest, ModelDigest.Of(Model(temp, "e", [.. files, ("chat_template.json", "{}")])));
        Assert.NotEqual(digest, ModelDigest.Of(Model(temp, "f", [.. files, ("special_tokens_map.json", "{}")])));
        (string, string)[] split =
        [
            files[0], files[1], ("a.safetensors", "a"), ("b.safetensors", "bc"), ("model.safetensors.index.json", """{"weight_map":{"x":"a.safetensors","y":"b.safetensors"}}"""),
        ];
        var sharded = ModelDigest.Of(Model(temp, "g", split));
        Assert.NotEqual(digest, sharded);
        Assert.NotEqual(sharded, ModelDigest.Of(Model(temp, "h", [.. split[..3], ("b.safetensors", "bd"), split[4]])));
        Assert.Equal(sharded, ModelDigest.Of(Model(temp, "i", [.. split, ("c.safetensors", "no index names it")])));
    }

    [Fact]
    public void Of_ASplitGguf_CoversAllItsParts()
    {
        using var temp = new ScratchFolder();
        string Digest(string folder, string first, string second)
        {
            temp.Write($"{folder}/m-00002-of-00002.gguf", second);
            return ModelDigest.Of(ModelSource.Open(temp.Write($"{folder}/m-00001-of-00002.gguf", first)));
        }
        Assert.Equal(Digest("a", "abc", "d"), Digest("b", "abc", "d"));
        Assert.NotEqual(Digest("a", "abc", "d"), Digest("c", "abc", "e"));
    }

    [Fact]
    public void Of_AGgufFile_IsThatOfItsBytes()
    {
        using var temp = new ScratchFolder();
        string Digest(string name, string text) => ModelDigest.Of(ModelSource.Open(temp.Write(name, text)));
        Assert.Equal(Digest("a.gguf", "abc"), Digest("b.GGUF", "abc"));
        Assert.NotEqual(Digest("a.gguf", "abc"), Digest("c.gguf", "abd"));
    }

    [Fact]
    public void Of_NamesTheMissingFile()
    {
        using var temp = new ScratchFolder();
        string Message(string name, params (string, string)[] files) =>
            Assert.Throws<ConfigException>(() => ModelDigest.Of(Model(temp, name, files))).Message;
        Assert.Contains("config.json is missing", Message("a", ("tokenizer.json", "{}")), StringComparison.Ordinal);
        Assert.Contains("tokenizer.json is missing", Message("b", ("config.json", "{}")), StringComparison.Ordinal);
        Assert.Contains("has no weights", Message("c", ("config.json", "{}"), ("tokenizer.json", "{}")), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_TellsRandomModelsApart()
    {
        static string Of(string model) => ModelDigest.Of(ModelSource.Open(model));
        Assert.Equal(Of("random:1:Qwen2.5-3B"), Of("random:01:Qwen2.5-3B"));
        Assert.NotEqual(Of("random:1:Qwen2.5-3B"), Of("random:2:Qwen2.5-3B"));
        Assert.NotEqual(Of("random:1:Qwen2.5-3B"), Of("random:1:Qwen2.5-7B"));
    }
}
