using KvPareto.Engine.Settings;
using KvPareto.Sweep.Reports.Cairo;

namespace KvPareto.Sweep.Reports.Chart;

/// <summary>
/// Colours, fonts and markers. A point's colour tells the lower of its key and value bits and its shape the weight bits; colours are
/// those of Okabe and Ito, "Color Universal Design" (2008), which colour-blind readers can tell apart.
/// </summary>
internal static class Look
{
    public const double DotRadius = 3.9;
    public const double StarRadius = 8.2;
    public const double RingRadius = 11;

    public static readonly Color Ink = Color.Of(0x1A1A1A);
    public static readonly Color Muted = Color.Of(0x5C5C5C);
    public static readonly Stroke Grid = new(Color.Of(0xE6E6E6), 0.7);
    public static readonly Stroke Frame = new(Color.Of(0x404040), 0.9);
    public static readonly Stroke Step = new(Color.Of(0x1A1A1A), 1.3);
    public static readonly Stroke Baseline = new(Color.Of(0x404040), 1.1, 5, 3.5);
    public static readonly Stroke Ring = new(Color.Of(0x1A1A1A), 1.2);
    public static readonly Stroke Leader = new(Color.Of(0x8A8A8A), 0.7);
    public static readonly Color Dominated = Color.Of(0x1A1A1A) with { Alpha = 0.045 };

    public static readonly TextStyle Title = new(15, Ink, Bold: true);
    public static readonly TextStyle Subtitle = new(10, Muted);
    public static readonly TextStyle PanelTitle = new(11.5, Ink, Bold: true);
    public static readonly TextStyle AxisTitle = new(10.5, Ink);
    public static readonly TextStyle TickText = new(9.5, Ink);
    public static readonly TextStyle LabelText = new(9, Ink);
    public static readonly TextStyle Note = new(9, Muted);

    /// <summary>The colour of a setting; grey where its name cannot be read.</summary>
    public static Color ColorOf(InferenceSetting? setting) => setting is null ? Color.Of(0x999999) : ColorOf(CacheBits(setting));

    /// <summary>The colour of a lower cache width.</summary>
    public static Color ColorOf(int cacheBits) => cacheBits switch
    {
        16 => Color.Of(0x009E73),
        8 => Color.Of(0x0072B2),
        4 => Color.Of(0xE69F00),
        2 => Color.Of(0xCC79A7),
        _ => Color.Of(0x999999),
    };

    /// <summary>The lower of key and value bits.</summary>
    public static int CacheBits(InferenceSetting setting) => Math.Min(setting.Cache.Keys.Bits, setting.Cache.Values.Bits);

    /// <summary>A dominated point: a circle for 16-bit weights, a triangle for 8 and a square for 4.</summary>
    public static void Dot(Canvas canvas, Position centre, Color color, int weightBits)
    {
        var fill = color with { Alpha = 0.8 };
        var rim = new Stroke(Color.White, 0.8);
        const double Half = 0.88 * DotRadius;
        const double Side = 1.25 * DotRadius;
        switch (weightBits)
        {
            case 4:
                canvas.Rectangle(Box.Around(centre, Half), fill, rim);
                break;
            case 8:
                var (foot, left, right) = (centre.Y + 0.75 * Side, centre.X - Side, centre.X + Side);
                canvas.Polygon(fill, rim, new(centre.X, centre.Y - Side), new(right, foot), new(left, foot));
                break;
            default:
                canvas.Circle(centre, DotRadius, fill, rim);
                break;
        }
    }

    /// <summary>A point of the frontier.</summary>
    public static void Star(Canvas canvas, Position centre, Color color)
    {
        const int Tips = 5;
        Span<Position> corners = stackalloc Position[2 * Tips];
        for (var i = 0; i < corners.Length; i++)
        {
            var (sin, cos) = Math.SinCos(Math.PI * i / Tips);
            var radius = i % 2 == 0 ? StarRadius : 0.45 * StarRadius;
            corners[i] = new(centre.X + radius * sin, centre.Y - radius * cos);
        }
        canvas.Polygon(color, new Stroke(Ink, 0.9), corners);
    }

    /// <summary>An interval of the score: a line with two short ends.</summary>
    public static void ErrorBar(Canvas canvas, double x, double top, double bottom, Color color)
    {
        const double End = 2.4;
        var stroke = new Stroke(color, 0.9);
        canvas.Line(stroke, new(x, top), new(x, bottom));
        canvas.Line(stroke, new(x - End, top), new(x + End, top));
        canvas.Line(stroke, new(x - End, bottom), new(x + End, bottom));
    }
}
