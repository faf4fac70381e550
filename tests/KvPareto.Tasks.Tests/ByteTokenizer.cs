using System.Text.Json;
using KvPareto.Engine.Text;

namespace KvPareto.Tasks.Tests;

/// <summary>A real tokenizer small enough to reckon with: one token a byte, and a leading &lt;s&gt;.</summary>
internal static class ByteTokenizer
{
    public const int Bos = 256;

    /// <summary>A prompt context over it, with or without a chat template of fixed cost.</summary>
    public static PromptContext Context(TemporaryFolder folder, int maxPromptTokens, bool chat = false)
    {
        folder.Write("tokenizer.json", Json());
        if (chat)
        {
            folder.Write("chat_template.jinja",
                "{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}{% endfor %}" +
                "{% if add_generation_prompt %} [reply] {% endif %}");
        }
        return new PromptContext(Tokenizer.Load(folder.Path), chat ? ChatTemplate.Load(folder.Path) : null, maxPromptTokens);
    }

    /// <summary>What the chat template adds, in tokens.</summary>
    public static int ChatCost => "[user]  [reply] ".Length;

    private static string Json()
    {
        var vocabulary = Enumerable.Range(0, 256).ToDictionary(b => Letter(b).ToString(), b => b);
        vocabulary["<s>"] = Bos;
        return JsonSerializer.Serialize(new
        {
            version = "1.0",
            truncation = (object?)null,
            padding = (object?)null,
            added_tokens = new[]
            {
                new { id = Bos, content = "<s>", single_word = false, lstrip = false, rstrip = false, normalized = false, special = true },
            },
            normalizer = (object?)null,
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = false },
            post_processor = new
            {
                type = "TemplateProcessing",
                single = new object[] { new { SpecialToken = new { id = "<s>", type_id = 0 } }, new { Sequence = new { id = "A", type_id = 0 } } },
                pair = new object[] { new { Sequence = new { id = "A", type_id = 0 } }, new { Sequence = new { id = "B", type_id = 1 } } },
                special_tokens = new Dictionary<string, object> { ["<s>"] = new { id = "<s>", ids = new[] { Bos }, tokens = new[] { "<s>" } } },
            },
            decoder = new { type = "ByteLevel", add_prefix_space = true, trim_offsets = true, use_regex = true },
            model = new
            {
                type = "BPE",
                dropout = (object?)null,
                unk_token = (object?)null,
                continuing_subword_prefix = (object?)null,
                end_of_word_suffix = (object?)null,
                fuse_unk = false,
                byte_fallback = false,
                vocab = vocabulary,
                merges = Array.Empty<string>(),
            },
        });
    }

    /// <summary>GPT-2's letter for a byte: printable ones are themselves, the others follow from U+0100 on.</summary>
    private static char Letter(int value)
    {
        if (IsPrintable(value)) return (char)value;
        return (char)(256 + Enumerable.Range(0, value).Count(b => !IsPrintable(b)));
    }

    private static bool IsPrintable(int value) => value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
}
