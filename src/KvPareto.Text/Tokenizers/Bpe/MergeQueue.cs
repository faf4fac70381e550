using System.Buffers;

namespace KvPareto.Text.Tokenizers.Bpe;

/// <summary>Merges long pieces in n log n with a queue by rank, then position, as Hugging Face's <c>Word::merge_all</c> does.</summary>
internal static class MergeQueue
{
    private const int Removed = -1;

    /// <summary>Merges in place.</summary>
    /// <returns>Symbols left at the front of <paramref name="symbols"/>.</returns>
    public static int Merge(Span<int> symbols, MergeTable merges)
    {
        var count = symbols.Length;
        var links = ArrayPool<int>.Shared.Rent(2 * count);
        var previous = links.AsSpan(0, count);
        var next = links.AsSpan(count, count);
        var queue = new PriorityQueue<int, ulong>(count);
        for (var i = 0; i < count; i++)
        {
            (previous[i], next[i]) = (i - 1, i + 1);
            if (i + 1 < count) Enqueue(symbols, i, i + 1);
        }
        while (queue.TryDequeue(out var id, out var priority))
        {
            var at = (int)(uint)priority;
            // Entries whose parts have since merged elsewhere are stale; one that now reads the same whole is as good as new.
            if (symbols[at] == Removed || next[at] >= count || !merges.TryGet(symbols[at], symbols[next[at]], out var merge)
                || merge.Id != id)
                continue;
            var right = next[at];
            symbols[at] = id;
            symbols[right] = Removed;
            next[at] = next[right];
            if (next[at] < count) previous[next[at]] = at;
            if (previous[at] >= 0) Enqueue(symbols, previous[at], at);
            if (next[at] < count) Enqueue(symbols, at, next[at]);
        }
        ArrayPool<int>.Shared.Return(links);
        var left = 0;
        foreach (var symbol in symbols)
            if (symbol != Removed) symbols[left++] = symbol;
        return left;

        void Enqueue(Span<int> ids, int first, int second)
        {
            if (merges.TryGet(ids[first], ids[second], out var found)) queue.Enqueue(found.Id, (ulong)found.Rank << 32 | (uint)first);
        }
    }
}
