using System.Globalization;

namespace KvPareto.Text.Tokenizers.Normalization;

/// <summary>
/// Combining classes, decompositions and compositions of Unicode 9.0, from the embedded table that
/// <c>scripts/normalization-data.py</c> writes. .NET's own <c>string.Normalize</c> does nothing without ICU.
/// </summary>
internal sealed class UnicodeData
{
    private const int TableSize = 0x30000;
    private static readonly Lazy<UnicodeData> LazyInstance = new(() => new UnicodeData());

    private readonly byte[] _classes = new byte[TableSize];
    private readonly byte[] _unstable = new byte[TableSize];
    private readonly Dictionary<int, int[]> _canonical = [];
    private readonly Dictionary<int, int[]> _compatible = [];
    private readonly Dictionary<(int First, int Second), int> _compositions = [];

    private UnicodeData()
    {
        using var stream = typeof(UnicodeData).Assembly.GetManifestResourceStream("normalization.txt")
            ?? throw new InvalidOperationException("the table normalization.txt is not embedded");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line) Add(line.Split(' '));
        foreach (var (_, second) in _compositions.Keys) Mark(second, UnicodeForm.Nfc, UnicodeForm.Nfkc);
        for (var jamo = Hangul.VowelBase; jamo < Hangul.VowelBase + Hangul.VowelCount; jamo++)
            Mark(jamo, UnicodeForm.Nfc, UnicodeForm.Nfkc);
        for (var jamo = Hangul.TailBase + 1; jamo < Hangul.TailBase + Hangul.TailCount; jamo++)
            Mark(jamo, UnicodeForm.Nfc, UnicodeForm.Nfkc);
        for (var syllable = Hangul.SyllableBase; syllable < Hangul.SyllableBase + Hangul.SyllableCount; syllable++)
            Mark(syllable, UnicodeForm.Nfd, UnicodeForm.Nfkd);
    }

    /// <summary>The one table, read at first use.</summary>
    public static UnicodeData Instance => LazyInstance.Value;

    /// <summary>Canonical combining class; 0 for starters.</summary>
    public byte CombiningClass(int codePoint) => codePoint < TableSize ? _classes[codePoint] : (byte)0;

    /// <summary>
    /// True where text can be cut before <paramref name="codePoint"/> and its two sides normalized apart: a starter that
    /// neither changes by itself nor composes with what precedes it.
    /// </summary>
    public bool IsBoundary(int codePoint, UnicodeForm form) => codePoint >= TableSize || (_unstable[codePoint] & 1 << (int)form) == 0;

    /// <summary>The character that two characters compose to, or −1.</summary>
    public int Compose(int first, int second) => _compositions.GetValueOrDefault((first, second), -1);

    /// <summary>Appends the full decomposition of <paramref name="codePoint"/> (Hangul syllables aside).</summary>
    public void Decompose(int codePoint, bool compatible, List<int> output)
    {
        if (_canonical.TryGetValue(codePoint, out var parts) || (compatible && _compatible.TryGetValue(codePoint, out parts)))
            foreach (var part in parts) Decompose(part, compatible, output);
        else output.Add(codePoint);
    }

    private void Add(string[] fields)
    {
        var numbers = fields[0] == "#" ? []
            : Array.ConvertAll(fields[1..], static f => int.Parse(f, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        switch (fields[0])
        {
            case "c":
                for (var codePoint = numbers[0]; codePoint <= numbers[1]; codePoint++)
                {
                    _classes[codePoint] = byte.Parse(fields[3], CultureInfo.InvariantCulture);
                    Mark(codePoint, UnicodeForm.Nfc, UnicodeForm.Nfd, UnicodeForm.Nfkc, UnicodeForm.Nfkd);
                }
                break;
            case "d":
                _canonical[numbers[0]] = numbers[1..];
                _compositions[(numbers[1], numbers[2])] = numbers[0];
                Mark(numbers[0], UnicodeForm.Nfd, UnicodeForm.Nfkc, UnicodeForm.Nfkd);
                break;
            case "x":
                _canonical[numbers[0]] = numbers[1..];
                Mark(numbers[0], UnicodeForm.Nfc, UnicodeForm.Nfd, UnicodeForm.Nfkc, UnicodeForm.Nfkd);
                break;
            case "k":
                _compatible[numbers[0]] = numbers[1..];
                Mark(numbers[0], UnicodeForm.Nfkc, UnicodeForm.Nfkd);
                break;
        }
    }

    private void Mark(int codePoint, params ReadOnlySpan<UnicodeForm> forms)
    {
        foreach (var form in forms) _unstable[codePoint] |= (byte)(1 << (int)form);
    }
}
