namespace KvPareto.Cuda;

/// <summary>
/// How a packed context is gone through where many query rows attend to it: in stretches that are unpacked into scratch one after another,
/// each multiplied with all rows (stretch.cu, prefill.cu). The scratch is that of products, which has nothing to keep in between.
/// </summary>
/// <param name="Tokens">Of each but the last one; a multiple of 128.</param>
/// <param name="Count">Stretches.</param>
/// <param name="LastFrom">Where the last one begins: all rows see tokens of it.</param>
/// <param name="CarryBytes">Room for what a stretch leaves to the next one.</param>
internal readonly record struct StretchPlan(int Tokens, int Count, int LastFrom, long CarryBytes)
{
    /// <summary>Room for the description of a stretch as a cache.</summary>
    public const int CacheBytes = 256;

    private const int Step = 128; // tokens of a tile

    /// <summary>The plan, if the scratch is large enough for one.</summary>
    /// <param name="length">Tokens of the context.</param>
    /// <param name="rows">New ones among them.</param>
    /// <param name="splits">Parts of a stretch, which blocks of their own go through.</param>
    /// <param name="tokenBytes">Of a token, unpacked.</param>
    /// <param name="carryBytes">That several stretches need.</param>
    /// <param name="scratchBytes">Scratch.</param>
    public static StretchPlan? Of(int length, int rows, int splits, long tokenBytes, long carryBytes, long scratchBytes)
    {
        var whole = Aligned(length);
        if (CacheBytes + whole * tokenBytes <= scratchBytes) return new(whole, 1, 0, 0);
        var most = (int)Math.Min((scratchBytes - CacheBytes - carryBytes) / tokenBytes / Step * Step, int.MaxValue / 2);
        if (most < 2 * Aligned(rows)) return null;
        var count = (length + most - 1) / most;
        var plan = new StretchPlan(Aligned((length + count - 1) / count), count, 0, carryBytes);
        plan = plan with { LastFrom = Math.Min((count - 1) * plan.Tokens, (length - rows) / Step * Step) };
        // The first one leaves something of each part, and the last one may be longer than the others.
        var first = plan.Range(0, length).To;
        return (splits - 1) * Part(first, splits) < first && length - plan.LastFrom <= most ? plan : null;
    }

    /// <summary>Tokens of a part, where so many are cut into parts.</summary>
    public static int Part(int tokens, int splits) => Aligned((tokens + splits - 1) / splits);

    /// <summary>Tokens [from, to) of a stretch.</summary>
    public (int From, int To) Range(int stretch, int length)
    {
        if (stretch == Count - 1) return (LastFrom, length);
        return (Math.Min(stretch * Tokens, LastFrom), Math.Min((stretch + 1) * Tokens, LastFrom));
    }

    private static int Aligned(int tokens) => (tokens + Step - 1) / Step * Step;
}
