using System.Text.Json.Nodes;
using KvPareto.Text.Tokenizers;

namespace Fuzz;

/// <summary>Files <c>tokenizer.json</c> of random components, many of which multiply a text, and damaged ones.</summary>
internal sealed class Tokenizers : HostileKind
{
    private static readonly string[] Flags = ["lstrip", "rstrip", "single_word", "normalized"];

    public override string Name => "tokenizers";

    public override void Run(Random random, string folder)
    {
        var file = TokenizerFile.Make();
        var model = file["model"]!.AsObject();
        if (Rarely(random, 2)) file["normalizer"] = Chain(random, "normalizers", Normalizer);
        if (Rarely(random, 2)) file["pre_tokenizer"] = Chain(random, "pretokenizers", PreTokenizer);
        if (Rarely(random, 2)) file["post_processor"] = Chain(random, "processors", PostProcessor);
        if (Rarely(random, 2)) file["decoder"] = Chain(random, "decoders", Decoder);
        if (Rarely(random, 4)) model["unk_token"] = "<unk>";
        if (Rarely(random, 4)) model["byte_fallback"] = true;
        if (Rarely(random, 6)) model["continuing_subword_prefix"] = new string('a', random.Next(200));
        if (Rarely(random, 6)) model["end_of_word_suffix"] = "b";
        if (Rarely(random, 4)) file["added_tokens"] = AddedTokens(random);
        var bytes = System.Text.Encoding.UTF8.GetBytes(file.ToJsonString());
        if (Rarely(random, 3))
            for (var left = random.Next(1, 8); left > 0; left--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        if (Rarely(random, 10)) bytes = bytes[..random.Next(bytes.Length)];
        File.WriteAllBytes(Path.Combine(folder, "tokenizer.json"), bytes);
        var tokenizer = Tokenizer.Load(folder);
        var ids = tokenizer.Encode(HostileText.Make(random, Rarely(random, 10) ? 1 << 20 : 1 << 12));
        tokenizer.Decode(ids, skipSpecialTokens: Rarely(random, 2));
    }

    private static JsonObject Chain(Random random, string key, Func<Random, JsonObject> make)
    {
        if (Rarely(random, 3)) return make(random);
        var repeated = Rarely(random, 3) ? make(random) : null;
        var stages = Enumerable.Range(0, Pick(random, 1, 2, 3, 40, 70)).Select(_ => (JsonNode)(repeated?.DeepClone() ?? make(random)));
        return new() { ["type"] = "Sequence", [key] = new JsonArray([.. stages]) };
    }

    private static JsonObject Normalizer(Random random) => random.Next(8) switch
    {
        0 => Of(Pick(random, "NFC", "NFD", "NFKC", "NFKD")),
        1 => new() { ["type"] = "Prepend", ["prepend"] = Pick(random, "a", "▁", new string('a', 99999)) },
        2 or 3 or 4 => Replace(random),
        5 => Of("ByteLevel"),
        6 => Of(Pick(random, "Lowercase", "Strip", "StripAccents")),
        _ => Of("Precompiled"),
    };

    private static JsonObject PreTokenizer(Random random) => random.Next(6) switch
    {
        0 or 1 => new() { ["type"] = "ByteLevel", ["add_prefix_space"] = Rarely(random, 2), ["use_regex"] = Rarely(random, 2) },
        2 => new() { ["type"] = "Metaspace", ["replacement"] = Pick(random, "▁", "a", "é"),
            ["prepend_scheme"] = Pick(random, "always", "first", "never"), ["split"] = Rarely(random, 2) },
        3 => new() { ["type"] = "Split", ["pattern"] = Pattern(random),
            ["behavior"] = Pick(random, "Removed", "Isolated", "MergedWithNext"), ["invert"] = Rarely(random, 2) },
        4 => Of(Pick(random, "Digits", "Punctuation", "Whitespace", "WhitespaceSplit")),
        _ => new() { ["type"] = "CharDelimiterSplit", ["delimiter"] = Pick(random, "a", "", " ") },
    };

    private static JsonObject PostProcessor(Random random)
    {
        if (Rarely(random, 4)) return Of("ByteLevel");
        var parts = Enumerable.Range(0, random.Next(6)).Select(_ => (JsonNode)(Rarely(random, 2)
            ? new JsonObject { ["Sequence"] = new JsonObject { ["id"] = "A" } }
            : new JsonObject { ["SpecialToken"] = new JsonObject { ["id"] = "s" } }));
        var ids = new JsonArray([.. Enumerable.Repeat(1000, Pick(random, 1, 2, 9999)).Select(id => (JsonNode)id)]);
        return new()
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray([.. parts]),
            ["special_tokens"] = new JsonObject { ["s"] = new JsonObject { ["ids"] = ids } },
        };
    }

    private static JsonObject Decoder(Random random) => random.Next(7) switch
    {
        0 => Of("ByteLevel"),
        1 => Of("ByteFallback"),
        2 => Of("Fuse"),
        3 or 4 => Replace(random),
        5 => new() { ["type"] = "Strip", ["content"] = Pick(random, "a", " ", "aa"), ["start"] = random.Next(-1, 70000),
            ["stop"] = random.Next(70000) },
        _ => new() { ["type"] = Pick(random, "Metaspace", "BPEDecoder"), ["replacement"] = "a", ["suffix"] = Pick(random, "a", "", "ab") },
    };

    private static JsonArray AddedTokens(Random random)
    {
        var first = Pick(random, "a", "<", " ", "😀");
        return new([.. Enumerable.Range(1, random.Next(300)).Select(i =>
        {
            var token = TokenizerFile.Added(2000 + i, string.Concat(Enumerable.Repeat(first, i)) + Pick(random, "", "c", "<"));
            foreach (var flag in Flags)
                if (Rarely(random, 3)) token[flag] = true;
            return (JsonNode)token;
        })]);
    }

    private static JsonObject Replace(Random random) =>
        new() { ["type"] = "Replace", ["pattern"] = Pattern(random),
            ["content"] = Pick(random, "", "aa", "ab", "é", new string('a', 999)) };

    private static JsonObject Pattern(Random random) =>
        new() { [Pick(random, "String", "Regex")] = Pick(random, "a", "b", " ", "ab", "aa", "é", "") };

    private static JsonObject Of(string type) => new() { ["type"] = type };
}
