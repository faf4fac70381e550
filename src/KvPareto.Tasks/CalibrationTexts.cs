using System.Text;
using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Tasks;

/// <summary>Texts over which a quantizer watches a model, as token ids.</summary>
public static class CalibrationTexts
{
    /// <summary>Most bytes of a plain text file.</summary>
    private const int MostBytes = 1 << 28;

    /// <summary>
    /// Reads a file: of JSON Lines (<c>.jsonl</c>, also <c>.gz</c>) the first <paramref name="tokens"/> tokens of the field
    /// <c>context</c>, or else <c>text</c>, of each of the first <paramref name="samples"/> rows; of any other, plain UTF-8 text, its
    /// first <paramref name="samples"/> pieces of <paramref name="tokens"/> tokens. No special tokens are added.
    /// </summary>
    /// <exception cref="ConfigException">The file cannot be read or holds no text.</exception>
    public static IReadOnlyList<int[]> Read(string path, Tokenizer tokenizer, int samples, int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(samples);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokens);
        var texts = IsJsonLines(path)
            ? JsonLines.Read(path).Take(samples).Select(row => Tokens(tokenizer, Text(row)).Take(tokens).ToArray())
            : Tokens(tokenizer, Plain(path)).Chunk(tokens).Take(samples);
        int[][] filled = [.. texts.Where(ids => ids.Length > 0)];
        return filled.Length > 0 ? filled : throw new ConfigException($"{path}: holds no text; allowed: a file with at least one token");
    }

    private static bool IsJsonLines(string path) =>
        path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".jsonl.gz", StringComparison.OrdinalIgnoreCase);

    private static string Text(JsonRow row) => row.Has("context") ? row.Text("context") : row.Text("text");

    private static int[] Tokens(Tokenizer tokenizer, string text) => tokenizer.Encode(text, addSpecialTokens: false);

    private static string Plain(string path)
    {
        try
        {
            return new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true)
                .GetString(ForeignFile.ReadAll(path, MostBytes));
        }
        catch (DecoderFallbackException error)
        {
            throw new ConfigException($"{path}: not UTF-8 at byte {error.Index}", error);
        }
    }
}
