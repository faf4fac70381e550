using System.Globalization;

namespace KvPareto.Sweep.Reports.Chart;

/// <summary>A value of an axis that is written beside it.</summary>
internal readonly record struct Tick(double Value, string Label);

/// <summary>The range of an axis, linear or logarithmic, with its ticks.</summary>
internal sealed class Axis
{
    /// <summary>Largest over smallest memory from which on the axis is logarithmic.</summary>
    private const double LogarithmicFrom = 24;

    private const double LeastScoreSpan = 4;
    private const double Margin = 0.07;
    private const int MostTicks = 8;

    /// <summary>Room at the beginning of the memory axis: names of the frontier's first points stand there.</summary>
    private const double MemoryMarginBefore = 0.2;

    /// <summary>Powers of ten beyond which a tick is written with an exponent.</summary>
    private const int MostZeros = 4;

    private static readonly double[] BitTicks = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32];

    private static readonly (double Bytes, string Name)[] Units =
        [(1L << 40, "TiB"), (1L << 30, "GiB"), (1L << 20, "MiB"), (1L << 10, "KiB"), (1, "bytes")];

    private readonly bool _logarithmic;

    private Axis(double low, double high, bool logarithmic, string title, IReadOnlyList<Tick> ticks)
    {
        (Low, High, Title, _logarithmic) = (low, high, title, logarithmic);
        Ticks = [.. ticks.Where(tick => tick.Value >= low && tick.Value <= high)];
    }

    /// <summary>Value at the beginning.</summary>
    public double Low { get; }

    /// <summary>Value at the end.</summary>
    public double High { get; }

    /// <summary>What the axis shows, with its unit.</summary>
    public string Title { get; }

    /// <summary>By rising value, all within the range.</summary>
    public IReadOnlyList<Tick> Ticks { get; }

    /// <summary>Scores from <paramref name="low"/> to <paramref name="high"/>, 0 to 100, with room around them.</summary>
    public static Axis Score(double low, double high)
    {
        if (high - low < LeastScoreSpan)
        {
            var middle = Math.Clamp((low + high) / 2, LeastScoreSpan / 2, Math.Max(100 - LeastScoreSpan / 2, high));
            (low, high) = (Math.Min(low, middle - LeastScoreSpan / 2), Math.Max(high, middle + LeastScoreSpan / 2));
        }
        var margin = Margin * (high - low);
        var ticks = Linear(low - margin, high + margin, 1).Where(tick => tick.Value is >= 0 and <= 100);
        return new(low - margin, high + margin, false, "Score", [.. ticks]);
    }

    /// <summary>Bits of a number from <paramref name="low"/> to <paramref name="high"/>, logarithmic, with room around them.</summary>
    public static Axis Bits(double low, double high, string title)
    {
        var room = Math.Max(Math.Pow(high / low, Margin), 1.08);
        var ticks = BitTicks.Select(bits => new Tick(bits, bits.ToString(CultureInfo.InvariantCulture)));
        return new(low / room, high * room, true, title, [.. ticks]);
    }

    /// <summary>Any quantity from <paramref name="low"/> to <paramref name="high"/>, above 0, by powers of ten.</summary>
    public static Axis Logarithmic(double low, double high, string title)
    {
        var room = Math.Max(Math.Pow(high / low, Margin), 1.5);
        var (from, to) = (low / room, high * room);
        var (first, last) = ((int)Math.Floor(Math.Log10(from)), (int)Math.Ceiling(Math.Log10(to)));
        // Within few decades, steps of 1, 2 and 5.
        double[] steps = last - first > MostTicks / 2 ? [1] : [1, 2, 5];
        var ticks =
            from power in Enumerable.Range(first, last - first + 1)
            from step in steps
            let value = step * Math.Pow(10, power)
            select new Tick(value, value.ToString(Math.Abs(power) <= MostZeros ? "0.####" : "0e-0", CultureInfo.InvariantCulture));
        return new(from, to, true, title, [.. ticks]);
    }

    /// <summary>Bytes from <paramref name="low"/> to <paramref name="high"/>, above 0, with room around them.</summary>
    public static Axis Memory(long low, long high) =>
        high > low * LogarithmicFrom ? LogarithmicMemory(low, high) : LinearMemory(low, high);

    /// <summary>Where a value lies: 0 at the beginning, 1 at the end.</summary>
    public double Share(double value) => _logarithmic
        ? Math.Log(value / Low) / Math.Log(High / Low)
        : (value - Low) / (High - Low);

    private static Axis LinearMemory(double low, double high)
    {
        var span = high > low ? high - low : Math.Max(0.2 * high, 1);
        var (from, to) = (Math.Max(0, low - MemoryMarginBefore * span), high + Margin * span);
        if (high <= low) (from, to) = (low - 0.55 * span, high + 0.45 * span);
        var unit = Array.Find(Units, unit => to >= 1.5 * unit.Bytes || unit.Bytes == 1);
        return new(from, to, false, $"Total peak memory ({unit.Name})", Linear(from, to, unit.Bytes));
    }

    private static Axis LogarithmicMemory(double low, double high)
    {
        var (from, to) = (low / Math.Pow(high / low, MemoryMarginBefore), high * Math.Pow(high / low, Margin));
        var (first, last) = ((int)Math.Ceiling(Math.Log2(from)), (int)Math.Floor(Math.Log2(to)));
        var step = Math.Max(1, (last - first + MostTicks) / MostTicks);
        var ticks = new List<Tick>();
        for (var power = first; power <= last; power++)
        {
            if (power % step != 0) continue;
            var value = Math.Pow(2, power);
            var unit = Array.Find(Units, unit => value >= unit.Bytes);
            ticks.Add(new(value, string.Create(CultureInfo.InvariantCulture, $"{value / unit.Bytes:0} {unit.Name}")));
        }
        return new(from, to, true, "Total peak memory (logarithmic)", ticks);
    }

    /// <summary>Multiples of 1, 2 or 5 times a power of ten, in units of <paramref name="unit"/>.</summary>
    private static List<Tick> Linear(double from, double to, double unit)
    {
        var rough = (to - from) / unit / (MostTicks - 1);
        var decade = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = decade * (rough <= decade ? 1 : rough <= 2 * decade ? 2 : rough <= 5 * decade ? 5 : 10);
        var decimals = Math.Clamp((int)-Math.Floor(Math.Log10(step * 1.0001)), 0, 15);
        var format = "F" + decimals.ToString(CultureInfo.InvariantCulture);
        var ticks = new List<Tick>();
        var first = Math.Ceiling(from / unit / step);
        for (var index = 0; first * step + index * step <= to / unit; index++)
        {
            var value = Math.Round((first + index) * step, decimals) + 0.0;
            ticks.Add(new(value * unit, value.ToString(format, CultureInfo.InvariantCulture)));
        }
        return ticks;
    }
}
