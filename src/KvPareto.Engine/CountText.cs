using static System.FormattableString;

namespace KvPareto.Engine;

/// <summary>Numbers of things for people.</summary>
public static class CountText
{
    /// <summary><c>1 trial</c>, <c>0 trials</c>, <c>12,000 trials</c>.</summary>
    /// <param name="count">How many.</param>
    /// <param name="noun">One of them; more have an s.</param>
    public static string Of(long count, string noun) => Invariant($"{count:N0} {noun}{(count == 1 ? "" : "s")}");
}
