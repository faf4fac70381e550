namespace KvPareto.Text.Tokenizers.Normalization;

/// <summary>Rewrites text before it is split; one <c>normalizer</c> of <c>tokenizer.json</c>.</summary>
internal abstract class Normalizer
{
    /// <summary>The normalized text; <paramref name="text"/> itself where nothing changes.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    public abstract string Apply(string text);
}

/// <summary>Several normalizers, one after the other.</summary>
internal sealed class SequenceNormalizer(IReadOnlyList<Normalizer> parts) : Normalizer
{
    public override string Apply(string text)
    {
        foreach (var part in parts) text = part.Apply(text);
        return text;
    }
}

/// <summary>Unicode normalization form NFC, NFD, NFKC or NFKD.</summary>
internal sealed class UnicodeNormalizer(UnicodeForm form) : Normalizer
{
    public override string Apply(string text) => UnicodeNormalization.Apply(text, form);
}

/// <summary>Puts a prefix before text that is not empty.</summary>
internal sealed class PrependNormalizer(string prefix) : Normalizer
{
    public override string Apply(string text) => text.Length == 0 ? text : prefix + text;
}

/// <summary>Lower case, character by character (no final-sigma rule), as Rust's <c>char::to_lowercase</c> has it.</summary>
internal sealed class LowercaseNormalizer : Normalizer
{
    // The only character whose full lower case mapping is longer than its simple one.
    public override string Apply(string text) => text.Replace("\u0130", "i\u0307", StringComparison.Ordinal).ToLowerInvariant();
}

/// <summary>Removes white space at the ends.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    public override string Apply(string text)
    {
        if (left) text = text.TrimStart();
        return right ? text.TrimEnd() : text;
    }
}
