using System.Text.Json;

namespace KvPareto.Testing;

/// <summary>A <c>tokenizer.json</c> small enough to reckon with: one token a byte, and a leading &lt;s&gt;.</summary>
public static class ByteTokenizerFile
{
    public const int Bos = 256;

    /// <summary>Ids 0 … this − 1.</summary>
    public const int VocabularySize = 257;

    /// <summary>The file's text.</summary>
    public static string Json()
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
                single = new object[]
                    { new { SpecialToken = new { id = "<s>", type_id = 0 } }, new { Sequence = new { id = "A", type_id = 0 } } },
                pair = new object[] { new { Sequence = new { id = "A", type_id = 0 } }, new { Sequence = new { id = "B", type_id = 1 } } },
                special_tokens = new Dictionary<string, object>
                { ["<s>"] = new { id = "<s>", ids = new[] { Bos }, tokens = new[] { "<s>" } } },
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
