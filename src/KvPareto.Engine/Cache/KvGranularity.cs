namespace KvPareto.Engine.Cache;

/// <summary>Which elements of keys or values share one scale and zero point.</summary>
public enum KvAxis
{
    /// <summary>g channels of one token and head.</summary>
    Token,

    /// <summary>g tokens of one channel and head; the not yet full group stays at 16 bits (KIVI's keys).</summary>
    Channel,

    /// <summary>n tokens of one head, all channels; the not yet full block stays at 16 bits.</summary>
    Block,

    /// <summary>All heads and tokens that one append brings to a layer.</summary>
    Tensor,

    /// <summary>One channel of a head for all tokens: a power of two and an integer zero point, fixed from the first append.</summary>
    PowerOfTwo,
}

/// <summary>A granularity: axis and group size.</summary>
/// <param name="Axis">What the group runs along.</param>
/// <param name="Group">Elements or tokens of the group; 0 where the axis says it all.</param>
public readonly record struct KvGranularity(KvAxis Axis, int Group)
{
    /// <summary>The long name, as in <c>token:64</c>, <c>channel:32</c>, <c>block:16</c>, <c>tensor</c>, <c>pow2</c>.</summary>
    public override string ToString() => KvAxisKind.Of(Axis) is { HasGroup: true } kind ? $"{kind.Name}:{Group}" : KvAxisKind.Of(Axis).Name;
}

/// <summary>What is rotated before coding.</summary>
public enum KvRotation
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Queries and keys: q·k is unchanged.</summary>
    Keys,

    /// <summary>Values too; attention's output is turned back.</summary>
    KeysAndValues,
}
