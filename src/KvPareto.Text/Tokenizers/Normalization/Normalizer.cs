using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.Normalization;

/// <summary>Rewrites text before it is split; one <c>normalizer</c> of <c>tokenizer.json</c>.</summary>
internal abstract class Normalizer
{
    /// <summary>The normalized text; <paramref name="text"/> itself where nothing changes.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="budget">What the text as a whole may still cost.</param>
    public string Apply(string text, WorkBudget budget)
    {
        budget.Text(text.Length);
        return Core(text, budget);
    }

    /// <summary>See <see cref="Apply"/>; counts what it adds.</summary>
    protected abstract string Core(string text, WorkBudget budget);
}

/// <summary>Several normalizers, one after the other.</summary>
internal sealed class SequenceNormalizer(IReadOnlyList<Normalizer> parts) : Normalizer
{
    protected override string Core(string text, WorkBudget budget)
    {
        foreach (var part in parts) text = part.Apply(text, budget);
        return text;
    }
}

/// <summary>Unicode normalization form NFC, NFD, NFKC or NFKD.</summary>
internal sealed class UnicodeNormalizer(UnicodeForm form) : Normalizer
{
    protected override string Core(string text, WorkBudget budget) => UnicodeNormalization.Apply(text, form);
}

/// <summary>Puts a prefix before text that is not empty.</summary>
internal sealed class PrependNormalizer(string prefix) : Normalizer
{
    protected override string Core(string text, WorkBudget budget)
    {
        if (text.Length == 0) return text;
        budget.Text((long)prefix.Length + text.Length);
        return prefix + text;
    }
}

/// <summary>Lower case, character by character (no final-sigma rule), as Rust's <c>char::to_lowercase</c> has it.</summary>
internal sealed class LowercaseNormalizer : Normalizer
{
    // The only character whose full lower case mapping is longer than its simple one.
    protected override string Core(string text, WorkBudget budget) =>
        text.Replace("\u0130", "i\u0307", StringComparison.Ordinal).ToLowerInvariant();
}

/// <summary>Removes white space at the ends.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    protected override string Core(string text, WorkBudget budget)
    {
        if (left) text = text.TrimStart();
        return right ? text.TrimEnd() : text;
    }
}
