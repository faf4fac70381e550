using System.Globalization;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>A value of an axis that is written beside it.</summary>
internal readonly record struct Tick(double Value, string Label);

/// <summary>A stretch of an axis on which values are drawn to scale.</summary>
/// <param name="Low">Value at its beginning.</param>
/// <param name="High">Value at its end.</param>
/// <param name="From">Where it begins: 0 to 1 over the whole axis.</param>
/// <param name="To">Where it ends.</param>
internal readonly record struct AxisPart(double Low, double High, double From, double To);

/// <summary>The range of an axis, linear, broken or logarithmic, with its ticks.</summary>
internal sealed class Axis
{
    /// <summary>Share of the span from which on an empty stretch between two values is cut out.</summary>
    private const double BreakFrom = 0.4;

    /// <summary>Share of the axis that a break takes.</summary>
    private const double BreakWidth = 0.045;

    /// <summary>Share of the axis on either side of the values of a part.</summary>
    private const double PartMargin = 0.06;

    /// <summary>Largest over smallest memory from which on the axis is logarithmic.</summary>
    private const double LogarithmicFrom = 24;

    private const string TotalPeak = "Total peak memory";

    private const double LeastScoreSpan = 4;
    private const double Margin = 0.07;
    private const int MostTicks = 8;
    private const int LeastTicks = 3;

    /// <summary>Room at the beginning of the memory axis: names of the frontier's first points stand there.</summary>
    private const double MemoryMarginBefore = 0.14;

    /// <summary>Powers of ten beyond which a tick is written with an exponent.</summary>
    private const int MostZeros = 4;

    /// <summary>Share of the axis from which on a part of a broken one should have two ticks.</summary>
    private const double RoomForTwoTicks = 0.2;

    private static readonly double[] BitTicks = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32];

    private static readonly (double Bytes, string Name)[] Units =
        [(1L << 40, "TiB"), (1L << 30, "GiB"), (1L << 20, "MiB"), (1L << 10, "KiB"), (1, "bytes")];

    private readonly bool _logarithmic;
    private readonly IReadOnlyList<AxisPart> _parts;

    private Axis(double low, double high, bool logarithmic, string title, IReadOnlyList<Tick> ticks)
        : this([new(low, high, 0, 1)], logarithmic, title, ticks)
    {
    }

    private Axis(IReadOnlyList<AxisPart> parts, bool logarithmic, string title, IReadOnlyList<Tick> ticks)
    {
        (_parts, Title, _logarithmic) = (parts, title, logarithmic);
        Ticks = [.. ticks.Where(tick => parts.Any(part => tick.Value >= part.Low && tick.Value <= part.High))];
    }

    /// <summary>Where stretches are cut out, 0 to 1: the middle of each.</summary>
    public IEnumerable<double> Breaks => _parts.Zip(_parts.Skip(1), (before, after) => (before.To + after.From) / 2);

    /// <summary>What the axis shows, with its unit.</summary>
    public string Title { get; }

    /// <summary>By rising value, all within the range.</summary>
    public IReadOnlyList<Tick> Ticks { get; }

    /// <summary>Scores from <paramref name="low"/> to <paramref name="high"/>, 0 to 100, with room around them.</summary>
    public static Axis Score(double low, double high)
    {
        if (high - low < LeastScoreSpan)
        {
            var middle = Math.Clamp((low + high) / 2, LeastScoreSpan / 2, 100 - LeastScoreSpan / 2);
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

    /// <summary>Any quantity from <paramref name="low"/> to <paramref name="high"/>, above 0, logarithmic.</summary>
    public static Axis Logarithmic(double low, double high, string title)
    {
        var room = Math.Max(Math.Pow(high / low, Margin), 1.5);
        var (from, to) = (low / room, high * room);
        var (first, last) = ((int)Math.Floor(Math.Log10(from)), (int)Math.Ceiling(Math.Log10(to)));
        // Within few decades, steps of 1, 2 and 5.
        double[] steps = last - first > MostTicks / 2 ? [1] : [1, 2, 5];
        Tick[] ticks =
        [
            .. from power in Enumerable.Range(first, last - first + 1)
               from step in steps
               let value = step * Math.Pow(10, power)
               where value >= @from && value <= to
               select new Tick(value, value.ToString(Math.Abs(power) <= MostZeros ? "0.####" : "0e-0", CultureInfo.InvariantCulture)),
        ];
        // One or two of them do not show how far apart values lie.
        return new(from, to, true, title, ticks.Length < LeastTicks && first >= -MostZeros ? Linear(from, to, 1) : ticks);
    }

    /// <summary>
    /// Bytes above 0, with room around them: logarithmic over a wide range, and broken where most of a narrower one is empty.
    /// </summary>
    /// <param name="bytes">At least one, in any order.</param>
    /// <param name="what">What the bytes are of.</param>
    public static Axis Memory(IReadOnlyList<long> bytes, string what = TotalPeak)
    {
        var (low, high) = (bytes.Min(), bytes.Max());
        if (high > low * LogarithmicFrom) return LogarithmicMemory(low, high, what);
        long[] values = [.. bytes.Distinct().Order()];
        var place = Enumerable.Range(0, values.Length - 1).DefaultIfEmpty()
            .MaxBy(i => i + 1 < values.Length ? values[i + 1] - values[i] : 0);
        return values.Length > 2 && values[place + 1] - values[place] >= BreakFrom * (high - low)
            ? BrokenMemory(low, values[place], values[place + 1], high, what)
            : LinearMemory(low, high, what);
    }

    /// <summary>Bytes from 0 to <paramref name="high"/>, above 0, with room after them.</summary>
    public static Axis BytesFromZero(long high)
    {
        var to = high * (1 + Margin);
        var unit = UnitOf(to);
        return new(0, to, false, $"{TotalPeak} ({unit.Name})", Linear(0, to, 1.5 * to, unit.Bytes));
    }

    /// <summary>Names side by side, each as wide as the others: the value of the first is 0, of the next 1, and so on.</summary>
    public static Axis Categories(IReadOnlyList<string> names, string title) =>
        new(-0.5, names.Count - 0.5, false, title, [.. names.Select((name, i) => new Tick(i, name))]);

    /// <summary>Where a value lies: 0 at the beginning, 1 at the end.</summary>
    public double Share(double value)
    {
        if (_logarithmic) return Math.Log(value / _parts[0].Low) / Math.Log(_parts[0].High / _parts[0].Low);
        var part = _parts.FirstOrDefault(part => value <= part.High, _parts[^1]);
        return part.From + (value - part.Low) / (part.High - part.Low) * (part.To - part.From);
    }

    /// <summary>The largest unit of which there are at least one and a half.</summary>
    private static (double Bytes, string Name) UnitOf(double bytes) =>
        Array.Find(Units, unit => bytes >= 1.5 * unit.Bytes || unit.Bytes == 1);

    /// <summary>Two parts to one scale, with what lies between them cut out.</summary>
    private static Axis BrokenMemory(double low, double leftEnd, double rightStart, double high, string what)
    {
        var room = 1 - BreakWidth - MemoryMarginBefore - 3 * PartMargin;
        var scale = (leftEnd - low + high - rightStart) / room;
        var (before, margin) = (MemoryMarginBefore * scale, PartMargin * scale);
        var cut = MemoryMarginBefore + PartMargin + (leftEnd - low) / scale;
        AxisPart[] parts =
        [
            new(low - before, leftEnd + margin, 0, cut),
            new(rightStart - margin, high + margin, cut + BreakWidth, 1),
        ];
        var unit = UnitOf(high);
        return new(parts, false, $"{what} ({unit.Name}, axis broken)",
            [.. Ticks(parts[0], (low + leftEnd) / 2), .. Ticks(parts[1], (rightStart + high) / 2)]);

        // A part that has none gets the middle of its values.
        List<Tick> Ticks(AxisPart part, double middle)
        {
            var own = Within(part, scale);
            if (own.Count < 2 && part.To - part.From > RoomForTwoTicks) own = Within(part, scale / 3);
            return own.Count > 0 ? own : [new(middle, (middle / unit.Bytes).ToString("G4", CultureInfo.InvariantCulture))];
        }

        List<Tick> Within(AxisPart part, double span) => [.. Linear(part.Low, part.High, span, unit.Bytes).Where(tick => tick.Value >= 0)];
    }

    private static Axis LinearMemory(double low, double high, string what)
    {
        var span = high > low ? high - low : Math.Max(0.2 * high, 1);
        var (from, to) = (Math.Max(0, low - MemoryMarginBefore * span), high + Margin * span);
        if (high <= low) (from, to) = (low - 0.55 * span, high + 0.45 * span);
        var unit = UnitOf(to);
        return new(from, to, false, $"{what} ({unit.Name})", Linear(from, to, unit.Bytes));
    }

    private static Axis LogarithmicMemory(double low, double high, string what)
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
        return new(from, to, true, $"{what} (logarithmic)", ticks);
    }

    /// <summary>Multiples of 1, 2 or 5 times a power of ten, in units of <paramref name="unit"/>.</summary>
    private static List<Tick> Linear(double from, double to, double unit) => Linear(from, to, to - from, unit);

    /// <summary>The same as close as they would be on an axis from 0 to <paramref name="span"/>.</summary>
    private static List<Tick> Linear(double from, double to, double span, double unit)
    {
        var rough = span / unit / (MostTicks - 1);
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
