using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.PreTokenization;

/// <summary>What becomes of the matches of a splitting pattern.</summary>
internal enum SplitBehavior
{
    /// <summary>They are dropped.</summary>
    Removed,

    /// <summary>Each is a piece.</summary>
    Isolated,

    /// <summary>Each ends the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>Each begins the piece after it.</summary>
    MergedWithNext,

    /// <summary>Neighbouring matches are one piece.</summary>
    Contiguous,
}

/// <summary>Splits by a pattern: Split, Digits, Punctuation, Whitespace and their kin are all this one.</summary>
/// <param name="pattern">What to look for.</param>
/// <param name="behavior">What becomes of the matches.</param>
/// <param name="invert">Matches and the text between them change roles.</param>
internal sealed class SplitPreTokenizer(TextPattern pattern, SplitBehavior behavior, bool invert = false) : PreTokenizer
{
    public override PieceSink Attach(PieceSink next, WorkBudget budget) => new Sink(pattern, behavior, invert, next, budget);

    private sealed class Sink(TextPattern pattern, SplitBehavior behavior, bool invert, PieceSink next, WorkBudget budget) : PieceSink
    {
        private readonly List<TextMatch> _matches = [];
        private readonly List<(TextMatch Part, bool IsMatch)> _parts = [];

        public override void Accept(string text, int start, int length, bool opensText)
        {
            budget.Text(length);
            if (behavior == SplitBehavior.Isolated && pattern is WordPattern words)
            {
                IsolateWords(words, text, start, length, opensText);
                return;
            }
            _matches.Clear();
            pattern.FindAll(text.AsSpan(start, length), _matches, budget);
            budget.Spend(1 + _matches.Count);
            if (behavior == SplitBehavior.Isolated)
            {
                Isolate(text, start, length, opensText);
                return;
            }
            FillParts(length);
            switch (behavior)
            {
                case SplitBehavior.MergedWithPrevious: MergeWithPrevious(); break;
                case SplitBehavior.MergedWithNext: MergeWithNext(); break;
                case SplitBehavior.Contiguous: MergeAlike(); break;
            }
            foreach (var (part, isMatch) in _parts)
                if (part.End > part.Start && !(isMatch && behavior == SplitBehavior.Removed))
                    next.Accept(text, start + part.Start, part.End - part.Start, opensText && part.Start == 0);
        }

        // A match begins where the last one ended: to collect those of an article first would take megabytes.
        private void IsolateWords(WordPattern words, string text, int start, int length, bool opensText)
        {
            for (var at = 0; at < length;)
            {
                var end = words.End(text.AsSpan(start, length), at);
                budget.Spend();
                next.Accept(text, start + at, end - at, opensText && at == 0);
                at = end;
            }
        }

        // Matches and what lies between them are pieces alike, so nothing need be collected first.
        private void Isolate(string text, int start, int length, bool opensText)
        {
            var at = 0;
            foreach (var (from, to) in _matches)
            {
                if (from > at) next.Accept(text, start + at, from - at, opensText && at == 0);
                if (to > from) next.Accept(text, start + from, to - from, opensText && from == 0);
                at = to;
            }
            if (at < length) next.Accept(text, start + at, length - at, opensText && at == 0);
        }

        private void FillParts(int length)
        {
            _parts.Clear();
            var at = 0;
            foreach (var match in _matches)
            {
                if (match.Start > at) _parts.Add((new(at, match.Start), invert));
                _parts.Add((match, !invert));
                at = match.End;
            }
            if (at < length) _parts.Add((new(at, length), invert));
        }

        private void MergeWithPrevious()
        {
            var (count, previous) = (0, false);
            foreach (var (part, isMatch) in _parts.ToArray())
            {
                if (isMatch && !previous && count > 0) _parts[count - 1] = (new(_parts[count - 1].Part.Start, part.End), false);
                else _parts[count++] = (part, false);
                previous = isMatch;
            }
            _parts.RemoveRange(count, _parts.Count - count);
        }

        private void MergeWithNext()
        {
            var (first, previous) = (_parts.Count, false);
            for (var i = _parts.Count - 1; i >= 0; i--)
            {
                var (part, isMatch) = _parts[i];
                if (isMatch && !previous && first < _parts.Count) _parts[first] = (new(part.Start, _parts[first].Part.End), false);
                else _parts[--first] = (part, false);
                previous = isMatch;
            }
            _parts.RemoveRange(0, first);
        }

        private void MergeAlike()
        {
            var (count, previous) = (0, false);
            foreach (var (part, isMatch) in _parts.ToArray())
            {
                if (isMatch == previous && count > 0) _parts[count - 1] = (new(_parts[count - 1].Part.Start, part.End), false);
                else _parts[count++] = (part, false);
                previous = isMatch;
            }
            _parts.RemoveRange(count, _parts.Count - count);
        }
    }
}
