using System.Globalization;
using KvPareto.Engine.Seam;

namespace KvPareto.Sweep.Reports;

/// <summary>Fixed number formats of the CSV files, the same in every culture; null gives an empty cell.</summary>
internal static class CsvFormat
{
    /// <summary>Points of score: 4 decimals.</summary>
    public static string? Points(double? value) => Fixed(value, 4);

    /// <summary>A share, 0 to 1: 4 decimals.</summary>
    public static string? Share(double? value) => Fixed(value, 4);

    /// <summary>Percent: 3 decimals.</summary>
    public static string? Percent(double? value) => Fixed(value, 3);

    /// <summary>Milliseconds: 3 decimals.</summary>
    public static string? Milliseconds(double? value) => Fixed(value, 3);

    /// <summary>A whole number.</summary>
    public static string? Whole(long? value) => value?.ToString(CultureInfo.InvariantCulture);

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public static string? Flag(bool? value) => value is bool flag ? flag ? "true" : "false" : null;

    /// <summary>How a peak was got.</summary>
    public static string Kind(PeakKind kind) => kind switch
    {
        PeakKind.Ledger => "ledger",
        PeakKind.Pool => "pool",
        PeakKind.Process => "process",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static string? Fixed(double? value, int decimals)
    {
        if (value is not double number || !double.IsFinite(number)) return null;
        var rounded = Math.Round(number, decimals);
        // Adding zero turns -0 into 0.
        return (rounded + 0.0).ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }
}
