using System.Collections.Immutable;

namespace KvPareto.Engine.Cache;

/// <summary>
/// What an axis is, in one row: its names, what shares an entry, and which groups a head width allows. Names, configs, help, the partition
/// of the cache and its checks read it here.
/// </summary>
/// <param name="Axis">The axis.</param>
/// <param name="Name">Long name, without a group.</param>
/// <param name="ShortName">As in a setting's name, without a group.</param>
/// <param name="Shares">What shares a scale, as help says it; N is the group.</param>
/// <param name="HasGroup">Whether a number follows the name.</param>
/// <param name="TokenBlock">From the group and D: tokens that share entries, their groups, and channels of a group
/// (<see cref="SidePlan.TokenBlock"/>).</param>
internal sealed record KvAxisKind(
    KvAxis Axis, string Name, string ShortName, string Shares, bool HasGroup,
    Func<int, int, (int Tokens, int Groups, int Channels)> TokenBlock)
{
    /// <summary>All axes, in the order of help.</summary>
    public static ImmutableArray<KvAxisKind> All { get; } =
    [
        new(KvAxis.Token, "token", "t", "N channels of a token", true, (group, headDim) => (1, headDim / group, group))
        {
            IsAllowed = (group, headDim) => group >= 8 && group % 8 == 0 && headDim % group == 0,
            Allowed = headDim => $"the group must be a multiple of 8 that divides the model's head_dim of {headDim}",
        },
        new(KvAxis.Channel, "channel", "ch", "N tokens of a channel", true, (group, headDim) => (group, headDim, 1))
        {
            CodesTogether = true,
            IsAllowed = IsTokenCount,
            Allowed = TokenCounts,
        },
        new(KvAxis.Block, "block", "b", "N tokens of a head", true, (group, headDim) => (group, 1, headDim))
        {
            CodesTogether = true,
            IsAllowed = IsTokenCount,
            Allowed = TokenCounts,
        },
        new(KvAxis.Tensor, "tensor", "tensor", "all that one append brings", false, (_, headDim) => (1, 1, headDim)),
        new(KvAxis.PowerOfTwo, "pow2", "pow2", "a channel for good, by a power of two from the first append", false,
            (_, headDim) => (int.MaxValue, headDim, 1)),
    ];

    /// <summary>True where the tokens of a group are coded together, so that they wait at 16 bits for the last of them.</summary>
    public bool CodesTogether { get; private init; }

    /// <summary>Whether a group fits a head width.</summary>
    public Func<int, int, bool> IsAllowed { get; private init; } = (_, _) => true;

    /// <summary>Which groups do, for messages.</summary>
    public Func<int, string> Allowed { get; private init; } = _ => "";

    /// <summary>The short name as help has it: <c>tN</c>.</summary>
    public string Word => HasGroup ? ShortName + "N" : ShortName;

    /// <summary>The row of an axis.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none.</exception>
    public static KvAxisKind Of(KvAxis axis) =>
        All.FirstOrDefault(kind => kind.Axis == axis) ?? throw new ArgumentOutOfRangeException(nameof(axis), axis, "an axis without a row");

    private static bool IsTokenCount(int group, int headDim) => group is >= 16 and <= 256 && group % 16 == 0;

    private static string TokenCounts(int headDim) => "allowed are 16 to 256 tokens, a multiple of 16";
}
