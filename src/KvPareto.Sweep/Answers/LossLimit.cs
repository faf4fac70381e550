using System.Globalization;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Answers;

/// <summary>The most that a setting may lose against the baseline.</summary>
/// <param name="Value">Number, 0 or more.</param>
/// <param name="IsPercent">Percent of the baseline's score; else points of score.</param>
public sealed record LossLimit(double Value, bool IsPercent)
{
    private const string Points = "pt";

    /// <summary>Reads <c>2%</c> or <c>1.5pt</c>.</summary>
    /// <param name="option">The option, for messages.</param>
    /// <param name="text">What was written.</param>
    /// <exception cref="ConfigException">It is neither.</exception>
    public static LossLimit Parse(string option, string text)
    {
        var (isPercent, isPoints) = (text.EndsWith('%'), text.EndsWith(Points, StringComparison.Ordinal));
        var digits = text[..^(isPercent ? 1 : isPoints ? Points.Length : 0)].Trim();
        return (isPercent || isPoints)
            && double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
                && value is >= 0 and <= 100
            ? new(value, isPercent)
            : throw new ConfigException(
                $"{option} '{text}'; allowed: 0 to 100 with a unit: 2% of the baseline's score, or 2pt, points of score");
    }

    /// <summary>A loss in the limit's own unit.</summary>
    /// <param name="points">Loss in points.</param>
    /// <param name="baseline">Score of the baseline.</param>
    public double Of(double points, double baseline) => !IsPercent ? points : baseline > 0 ? 100 * points / baseline : points > 0 ? 100 : 0;

    /// <summary>As it was written.</summary>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture) + (IsPercent ? " %" : " points");
}
