using KvPareto.Text.Tokenizers.Bpe;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Text.Tokenizers.Normalization;

/// <summary>Replaces every match of a pattern; also StripAccents, whose replacement is empty.</summary>
internal sealed class ReplaceNormalizer(TextPattern pattern, string replacement) : Normalizer
{
    public override string Apply(string text) => pattern.Replace(text, replacement);
}

/// <summary>One printable character for each UTF-8 byte, before splitting rather than after.</summary>
internal sealed class ByteLevelNormalizer : Normalizer
{
    public override string Apply(string text) => ByteAlphabet.Map(text);
}
