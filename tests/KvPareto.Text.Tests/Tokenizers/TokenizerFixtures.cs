using System.Text.Json;
using System.Text.Json.Nodes;
using KvPareto.Testing;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Text.Tests.Tokenizers;

/// <summary>
/// The tokenizers of Data/text/tokenizers.json: two small vocabularies (the byte-level one is that of the golden GGUF files) under
/// many settings, each with texts, ids and decoded texts that Hugging Face's tokenizers 0.22 gave.
/// </summary>
internal static class TokenizerFixtures
{
    private static readonly Lazy<JsonObject> Document =
        new(() => JsonNode.Parse(File.ReadAllText(TestData.Golden("text", "tokenizers.json")))!.AsObject());

    public static IEnumerable<string> Names => Document.Value["tokenizers"]!.AsArray().Select(static t => (string)t!["name"]!);

    public static JsonArray Cases(string name) => Find(name)["cases"]!.AsArray();

    /// <summary>A tokenizer.json as an object that a test may damage.</summary>
    public static JsonObject FileOf(string name)
    {
        var entry = Find(name);
        var file = entry["components"]!.DeepClone().AsObject();
        var model = entry["model"]!.DeepClone().AsObject();
        foreach (var (key, value) in Document.Value["bases"]![(string)entry["base"]!]!.AsObject()) model[key] = value!.DeepClone();
        file["model"] = model;
        return file;
    }

    public static Tokenizer Load(string name) => Parse(FileOf(name).ToJsonString());

    public static Tokenizer Parse(string json)
    {
        using var folder = new ScratchFolder();
        File.WriteAllText(folder["tokenizer.json"], json);
        return Tokenizer.Load(folder.Root);
    }

    public static int[] Ids(this JsonNode node) => node.Deserialize<int[]>()!;

    private static JsonNode Find(string name) => Document.Value["tokenizers"]!.AsArray().Single(t => (string)t!["name"]! == name)!;
}
