using KvPareto.Cpu.Kernels;
using KvPareto.Cpu.Storage;

namespace KvPareto.Cpu.Attention;

/// <summary>64 tokens of a packed cache against a tile of query rows: unpacked into panels that stay in the nearest cache.</summary>
internal static unsafe class PrefillBlock
{
    private const int Block = CpuWorkspace.BlockTokens;
    private const int Tile = KvTile.Tokens;

    /// <summary>tile.Scores[r, t] = q[r]·k[key + t].</summary>
    public static void Score(in AttentionCall c, int head, int key, int to, int rows, in PrefillTile tile)
    {
        var (cache, d) = (c.Cache(0), c.HeadDim);
        var keys = cache.Keys(c.Layer, head);
        for (var i = 0; i < keys.Count; i++) UnpackKeys(keys[i], key, to, tile.KeyPanel, only: keys.Count == 1);
        MicroKernel.Multiply(tile.Queries, d, rows, tile.KeyPanel, d, tile.Scores, Block, accumulate: false);
        if (cache.Turns is not { } turns) return;
        UnpackKeys(turns.Range(cache.Length), key, to, tile.KeyPanel, only: true);
        MicroKernel.Multiply(tile.BiasQueries, d, rows, tile.KeyPanel, d, tile.Scores, Block, accumulate: true);
    }

    // Columns [key, key + 64) of a panel, those of them that lie in one stretch.
    private static void UnpackKeys(TokenRange<KeyStore> range, int key, int to, float* panel, bool only)
    {
        var (from, end) = (Math.Max(key, range.First), Math.Min(Math.Min(to, key + Block), range.End));
        if (from >= end) return;
        var (tile, tiles, tileStart) = AttentionCall.Tiles(range.Origin, from, end);
        var aside = stackalloc float[range.Store.HeadDim * Tile];
        for (; tiles > 0; tile++, tiles--, tileStart += Tile)
        {
            if (only && tileStart >= key && tileStart + Tile <= key + Block)
            {
                range.Store.Unpack(range.Place, tile, panel + (tileStart - key), Block);
                continue;
            }
            range.Store.Unpack(range.Place, tile, aside, Tile);
            var (low, high) = (Math.Max(from, tileStart), Math.Min(end, tileStart + Tile));
            for (var d = 0; d < range.Store.HeadDim; d++)
                new ReadOnlySpan<float>(aside + d * Tile + (low - tileStart), high - low)
                    .CopyTo(new Span<float>(panel + d * Block + (low - key), high - low));
        }
    }

    // Rows [key, key + 64) of values, those of them that lie in one stretch.
    private static void UnpackValues(TokenRange<ValueStore> range, int key, int to, float* values, int stride, bool only)
    {
        var (from, end) = (Math.Max(key, range.First), Math.Min(Math.Min(to, key + Block), range.End));
        if (from >= end) return;
        var (tile, tiles, tileStart) = AttentionCall.Tiles(range.Origin, from, end);
        var width = range.Store.HeadDim;
        var aside = stackalloc float[width * Tile];
        for (; tiles > 0; tile++, tiles--, tileStart += Tile)
        {
            if (only && tileStart >= key && tileStart + Tile <= key + Block)
            {
                range.Store.Unpack(range.Place, tile, values + (long)(tileStart - key) * stride, stride);
                continue;
            }
            range.Store.Unpack(range.Place, tile, aside, width);
            for (var token = Math.Max(from, tileStart); token < Math.Min(end, tileStart + Tile); token++)
                new ReadOnlySpan<float>(aside + (token - tileStart) * width, width)
                    .CopyTo(new Span<float>(values + (long)(token - key) * stride, width));
        }
    }

    /// <summary>tile.Output[r] += Σ_t tile.Scores[r, t]·v[key + t] for tokens before <paramref name="to"/>; scores are weights by
    /// now.</summary>
    public static void AddValues(in AttentionCall c, int head, int key, int to, int rows, in PrefillTile tile)
    {
        var padded = c.Workspace.PaddedHeadDim;
        var values = c.Cache(0).Values(c.Layer, head);
        var tokens = Math.Min(Block, to - key);
        for (var i = 0; i < values.Count; i++) UnpackValues(values[i], key, to, tile.ValueRows, padded, only: values.Count == 1);
        if (padded == Block)
        {
            MicroKernel.Multiply(tile.Scores, Block, rows, tile.ValueRows, tokens, tile.Output, padded, accumulate: true);
            return;
        }
        // A panel is 64 columns wide: gather each one from the rows into the key panel's place, which is free by now.
        for (var column = 0; column < padded; column += Block)
        {
            for (var t = 0; t < tokens; t++)
                Buffer.MemoryCopy(
                    tile.ValueRows + t * padded + column, tile.KeyPanel + t * Block, Block * sizeof(float), Block * sizeof(float));
            MicroKernel.Multiply(tile.Scores, Block, rows, tile.KeyPanel, tokens, tile.Output + column, padded, accumulate: true);
        }
    }
}
