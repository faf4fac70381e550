using System.Text.Json.Nodes;
using KvPareto.Text.Templates;
using KvPareto.Text.Tokenizers;

namespace Fuzz;

/// <summary>Files <c>tokenizer_config.json</c> and their kin that contradict <c>tokenizer.json</c>, themselves, or JSON.</summary>
internal sealed class TokenizerSettingsFiles : HostileKind
{
    private static readonly string[] Keys =
        ["add_bos_token", "add_eos_token", "bos_token", "eos_token", "added_tokens_decoder", "chat_template", "additional_special_tokens",
            "unk_token", "tokenizer_class"];

    public override string Name => "settings";

    public override void Run(Random random, string folder)
    {
        var settings = new JsonObject();
        for (var left = random.Next(6); left > 0; left--) settings[Pick<string>(random, Keys)] = Value(random, 0);
        var text = settings.ToJsonString();
        if (Rarely(random, 3)) text = text.Insert(random.Next(text.Length), Pick(random, "\"", "\\ud800", "\0", "]", ",", "{", "1e999"));
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), TokenizerFile.Make().ToJsonString());
        File.WriteAllText(
            Path.Combine(
                folder, Pick(random, "tokenizer_config.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.json")),
                    text);
        Tokenizer.Load(folder).Encode("<s>ab<|im_end|>");
        ChatTemplate.Load(folder)?.Render([new ChatMessage("user", "a")]);
    }

    private static JsonNode? Value(Random random, int depth) => random.Next(depth > 2 ? 6 : 9) switch
    {
        0 => true,
        1 => false,
        2 => null,
        3 => Pick(random, "<s>", "<|im_end|>", "<none>", "", "{{ bos_token }}{{ messages }}", "a"),
        4 => random.Next(-1, 5000),
        5 => Pick(random, 1e300, 0.5),
        6 => new JsonArray(Value(random, depth + 1), Value(random, depth + 1)),
        7 => new JsonObject { [Pick(random, "content", "name", "template", "1000", "64", "x")] = Value(random, depth + 1),
            ["special"] = Value(random, depth + 1) },
        _ => new JsonObject { [Pick(random, "1000", "1001", "64", "5000", "99999999999")] = TokenizerFile.Added(
            0, Pick(random, "<s>", "a", "<new>", "")) },
    };
}
