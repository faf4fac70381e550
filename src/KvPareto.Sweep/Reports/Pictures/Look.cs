using ScottPlot;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>
/// Colours and sizes of all figures, in points. A panel of usual width fills one column of a paper with text of 6 points. Colours
/// are those of Okabe and Ito, "Color Universal Design" (2008), which colour-blind readers can tell apart.
/// </summary>
internal static class Look
{
    public const double DotRadius = 3.6;
    public const double StarRadius = 5.6;
    public const double RingRadius = 8.6;

    public static readonly Color Ink = Color.FromHex("#1A1A1A");
    public static readonly Color Muted = Color.FromHex("#555555");
    public static readonly Color Grid = Color.FromHex("#E6E6E6");
    public static readonly Color Frame = Color.FromHex("#404040");
    public static readonly Color Leader = Color.FromHex("#6E6E6E");
    public static readonly Color Dominated = Color.FromHex("#1A1A1A").WithAlpha(0.045);
    public static readonly Color NoValue = Color.FromHex("#8A8A8A");

    public static readonly TextStyle Title = new(13, Ink, Bold: true);
    public static readonly TextStyle Subtitle = new(9, Muted);
    public static readonly TextStyle PanelTitle = new(11, Ink, Bold: true);
    public static readonly TextStyle AxisTitle = new(10, Ink);
    public static readonly TextStyle TickText = new(10, Ink);
    public static readonly TextStyle LabelText = new(9.5f, Ink);
    public static readonly TextStyle Note = new(9.5f, Muted);

    /// <summary>Colours of values that have no order, the best told apart first.</summary>
    public static readonly IReadOnlyList<Color> Palette =
        [Blue, Orange, Green, Purple, SkyBlue, Vermilion, Yellow, Color.FromHex("#000000")];

    private static Color Blue => Color.FromHex("#0072B2");

    private static Color Orange => Color.FromHex("#E69F00");

    private static Color Green => Color.FromHex("#009E73");

    private static Color Purple => Color.FromHex("#CC79A7");

    private static Color SkyBlue => Color.FromHex("#56B4E9");

    private static Color Vermilion => Color.FromHex("#D55E00");

    private static Color Yellow => Color.FromHex("#F0E442");

    /// <summary>The colour of a cache width, the same in every figure.</summary>
    public static Color OfCacheBits(int bits) => bits switch
    {
        >= 16 => Green,
        8 => Blue,
        4 => Orange,
        2 => Purple,
        _ => NoValue,
    };
}
