using System.Text;

namespace Fuzz;

/// <summary>Texts that tokenizers and pattern engines trip over: runs, periods, marks, halves of characters.</summary>
internal static class HostileText
{
    private static readonly string[] Pieces =
    [
        "a", "aa", "ab", "b", " ", "  ", "\n", "\r\n", "\t", "é", "e\u0301", "\u0316", "\u1100\u1161\u11A8", "\u212B", "ﬃ", "İ", "ß", "😀",
            "\uD83D", "\uDE00", "𐐀", "日本", "'s", "12",
        "<s>", "<|im_end|>", "<0x41>", "▁", "\0", "\u00A0", "\u3000", "\uFEFF", "_", "-", "?", "{{", "%}",
    ];

    /// <summary>A text of up to <paramref name="longest"/> UTF-16 units, mostly short.</summary>
    public static string Make(Random random, int longest)
    {
        var length = Math.Min(longest, random.Next(64) switch { 0 => 1 << 20, < 3 => 1 << 16, < 12 => 1 << 12, _ => 64 });
        var text = new StringBuilder();
        switch (random.Next(4))
        {
            case 0:
                text.Insert(0, Pieces[random.Next(Pieces.Length)], length);
                break;
            case 1:
                var period = Pieces[random.Next(Pieces.Length)] + Pieces[random.Next(Pieces.Length)];
                text.Insert(0, period, length / 2).Append(Pieces[random.Next(Pieces.Length)]);
                break;
            default:
                while (text.Length < length) text.Append(Pieces[random.Next(Pieces.Length)]);
                break;
        }
        return text.Length <= longest ? text.ToString() : text.ToString(0, longest);
    }
}
