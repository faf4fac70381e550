namespace KvPareto.Text.Tokenizers.Normalization;

/// <summary>Constants of the arithmetic (de)composition of Hangul syllables: The Unicode Standard, section 3.12.</summary>
internal static class Hangul
{
    public const int SyllableBase = 0xAC00;
    public const int LeadBase = 0x1100;
    public const int VowelBase = 0x1161;
    public const int TailBase = 0x11A7;
    public const int LeadCount = 19;
    public const int VowelCount = 21;
    public const int TailCount = 28;
    public const int SyllableCount = LeadCount * VowelCount * TailCount;

    /// <summary>Appends the jamo of a syllable; false where <paramref name="codePoint"/> is none.</summary>
    public static bool TryDecompose(int codePoint, List<int> output)
    {
        var index = codePoint - SyllableBase;
        if ((uint)index >= SyllableCount) return false;
        output.Add(LeadBase + index / (VowelCount * TailCount));
        output.Add(VowelBase + index % (VowelCount * TailCount) / TailCount);
        if (index % TailCount != 0) output.Add(TailBase + index % TailCount);
        return true;
    }

    /// <summary>The syllable of lead + vowel or of syllable + tail, or −1.</summary>
    public static int Compose(int first, int second)
    {
        var (lead, vowel) = (first - LeadBase, second - VowelBase);
        if ((uint)lead < LeadCount && (uint)vowel < VowelCount) return SyllableBase + (lead * VowelCount + vowel) * TailCount;
        var (syllable, tail) = (first - SyllableBase, second - TailBase);
        return (uint)syllable < SyllableCount && syllable % TailCount == 0 && tail is > 0 and < TailCount ? first + tail : -1;
    }
}
