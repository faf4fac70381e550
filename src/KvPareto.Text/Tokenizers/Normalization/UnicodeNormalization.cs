using System.Text;

namespace KvPareto.Text.Tokenizers.Normalization;

/// <summary>A Unicode normalization form.</summary>
internal enum UnicodeForm
{
    /// <summary>Canonical composition.</summary>
    Nfc,

    /// <summary>Canonical decomposition.</summary>
    Nfd,

    /// <summary>Compatibility decomposition, then canonical composition.</summary>
    Nfkc,

    /// <summary>Compatibility decomposition.</summary>
    Nfkd,
}

/// <summary>Unicode Standard Annex 15 over the characters of Unicode 9.0.</summary>
internal static class UnicodeNormalization
{
    // No character below the first combining mark changes by canonical normalization into a composed form; for the others: ASCII.
    private const char FirstUnstableNfc = '\u0300';
    private const char FirstUnstableOther = '\u0080';

    /// <summary><paramref name="text"/> in <paramref name="form"/>; the same object where it already is.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="form">Form.</param>
    public static string Apply(string text, UnicodeForm form)
    {
        var first = form == UnicodeForm.Nfc ? FirstUnstableNfc : FirstUnstableOther;
        var at = text.AsSpan().IndexOfAnyExceptInRange('\0', (char)(first - 1));
        if (at < 0) return text;
        var data = UnicodeData.Instance;
        StringBuilder? result = null;
        var (copied, boundary) = (0, at > 0 ? at - 1 : 0);
        var segment = new Segment(data, form);
        while (at < text.Length)
        {
            var rune = Rune.GetRuneAt(text, at);
            if (data.IsBoundary(rune.Value, form))
            {
                boundary = at;
                at += rune.Utf16SequenceLength;
                continue;
            }
            // The last boundary character may compose with this one, so the segment starts there; it ends before the next.
            var end = at + rune.Utf16SequenceLength;
            while (end < text.Length && Rune.GetRuneAt(text, end) is var next && !data.IsBoundary(next.Value, form))
                end += next.Utf16SequenceLength;
            result ??= new StringBuilder(text.Length + 16);
            result.Append(text, copied, boundary - copied);
            segment.Append(text.AsSpan(boundary, end - boundary), result);
            copied = boundary = at = end;
        }
        return result is null ? text : result.Append(text, copied, text.Length - copied).ToString();
    }

    /// <summary>Normalizes one piece between boundaries; its list is reused from piece to piece.</summary>
    private sealed class Segment(UnicodeData data, UnicodeForm form)
    {
        private readonly List<int> _points = [];

        public void Append(ReadOnlySpan<char> text, StringBuilder output)
        {
            _points.Clear();
            foreach (var rune in text.EnumerateRunes())
                if (!Hangul.TryDecompose(rune.Value, _points))
                    data.Decompose(rune.Value, form is UnicodeForm.Nfkc or UnicodeForm.Nfkd, _points);
            Reorder();
            if (form is UnicodeForm.Nfc or UnicodeForm.Nfkc) Compose();
            Span<char> units = stackalloc char[2];
            foreach (var point in _points) output.Append(units[..new Rune(point).EncodeToUtf16(units)]);
        }

        // A stable sort by class within each run of non-starters. Array.Sort over (class, index) keeps hostile runs of 100k marks n log n.
        private void Reorder()
        {
            for (var start = 0; start < _points.Count; start++)
            {
                if (data.CombiningClass(_points[start]) == 0) continue;
                var end = start + 1;
                var sorted = true;
                while (end < _points.Count && data.CombiningClass(_points[end]) is var next and not 0)
                {
                    sorted &= next >= data.CombiningClass(_points[end - 1]);
                    end++;
                }
                if (!sorted)
                {
                    var keys = new long[end - start];
                    for (var i = 0; i < keys.Length; i++) keys[i] = (long)data.CombiningClass(_points[start + i]) << 32 | (uint)i;
                    var marks = _points.GetRange(start, end - start).ToArray();
                    Array.Sort(keys, marks);
                    for (var i = 0; i < marks.Length; i++) _points[start + i] = marks[i];
                }
                start = end - 1;
            }
        }

        private void Compose()
        {
            var (starter, length, lastClass) = (-1, 0, 0);
            foreach (var point in _points.ToArray())
            {
                var combiningClass = data.CombiningClass(point);
                if (starter >= 0 && (lastClass < combiningClass || starter == length - 1))
                {
                    var whole = Hangul.Compose(_points[starter], point);
                    if (whole < 0) whole = data.Compose(_points[starter], point);
                    if (whole >= 0)
                    {
                        _points[starter] = whole;
                        continue;
                    }
                }
                if (combiningClass == 0) starter = length;
                lastClass = combiningClass;
                _points[length++] = point;
            }
            _points.RemoveRange(length, _points.Count - length);
        }
    }
}
