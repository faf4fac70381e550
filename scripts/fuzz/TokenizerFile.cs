using System.Text.Json.Nodes;

namespace Fuzz;

/// <summary>A small well-formed <c>tokenizer.json</c>, the ground of what the kinds make of it.</summary>
internal static class TokenizerFile
{
    /// <summary>Every byte's character and a few merges.</summary>
    public static JsonObject Make()
    {
        var vocabulary = new JsonObject();
        for (var c = 33; c < 0x180; c++) vocabulary[((char)c).ToString()] = vocabulary.Count;
        foreach (var token in new[] { "aa", "ab", "aab", "▁", "▁a", "<unk>" }) vocabulary[token] = vocabulary.Count;
        return new()
        {
            ["added_tokens"] = new JsonArray(Added(1000, "<s>"), Added(1001, "<|im_end|>")),
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false },
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel" },
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary,
                ["merges"] = new JsonArray("a a", "a b", "a ab", "▁ a") },
        };
    }

    /// <summary>An added token.</summary>
    public static JsonObject Added(int id, string content) => new() { ["id"] = id, ["content"] = content, ["special"] = true };
}
