namespace KvPareto.Cli.Terminal;

/// <summary>Where a setting stands, in a table's first column.</summary>
internal static class PlaceMark
{
    /// <summary>A star on the frontier, and whether it is the baseline.</summary>
    public static string Of(bool onFrontier, bool isBaseline) => (onFrontier, isBaseline) switch
    {
        (true, true) => "★base",
        (true, false) => "★",
        (false, true) => "base",
        _ => "",
    };
}
