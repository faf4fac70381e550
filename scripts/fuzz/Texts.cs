using System.Text.Json.Nodes;
using KvPareto.Text.Tokenizers;

namespace Fuzz;

/// <summary>Hostile texts through tokenizers as they are published: byte-level with each splitting regex, and SentencePiece's.</summary>
internal sealed class Texts : HostileKind
{
    private Tokenizer[]? _tokenizers;

    public override string Name => "texts";

    public override void Run(Random random, string folder)
    {
        _tokenizers ??= [.. Load(folder)];
        var tokenizer = Pick<Tokenizer>(random, _tokenizers);
        var text = HostileText.Make(random, 1 << 20);
        var ids = tokenizer.Encode(text);
        if (Rarely(random, 4)) ids = [.. ids.Select(id => id ^ random.Next(4))];
        tokenizer.Decode(ids);
    }

    private static IEnumerable<Tokenizer> Load(string folder)
    {
        foreach (var regex in new[] { TokenizerParts.Gpt2Regex, TokenizerParts.Llama3Regex, TokenizerParts.Qwen2Regex,
            @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{M}]*[\p{Ll}\p{M}]+|\p{N}{1,3}|\s+" })
        {
            var file = TokenizerFile.Make();
            file["normalizer"] = new JsonObject { ["type"] = "NFC" };
            file["pre_tokenizer"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["pretokenizers"] = new JsonArray(
                    new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = regex }, ["behavior"] = "Isolated" },
                    new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = false }),
            };
            File.WriteAllText(Path.Combine(folder, "tokenizer.json"), file.ToJsonString());
            yield return Tokenizer.Load(folder);
        }
        var pieces = TokenizerFile.Make();
        pieces["normalizer"] =
            new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = " " }, ["content"] = "▁" };
        pieces["pre_tokenizer"] = null;
        pieces["decoder"] = new JsonObject { ["type"] = "Metaspace", ["replacement"] = "▁" };
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), pieces.ToJsonString());
        yield return Tokenizer.Load(folder);
    }
}
