using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.Bpe;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Text.Tokenizers.Normalization;

/// <summary>Replaces every match of a pattern; also StripAccents, whose replacement is empty.</summary>
internal sealed class ReplaceNormalizer(TextPattern pattern, string replacement) : Normalizer
{
    protected override string Core(string text, WorkBudget budget) => pattern.Replace(text, replacement, budget);
}

/// <summary>One printable character for each UTF-8 byte, before splitting rather than after.</summary>
internal sealed class ByteLevelNormalizer : Normalizer
{
    protected override string Core(string text, WorkBudget budget) => ByteAlphabet.Map(text);
}
