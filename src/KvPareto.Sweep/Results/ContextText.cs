using System.Globalization;

namespace KvPareto.Sweep.Results;

/// <summary>Numbers of tokens as people write them: 10000 or 10k, k standing for 1,000.</summary>
public static class ContextText
{
    private const int Thousand = 1000;

    /// <summary>Reads a number; null where it is none from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public static int? TryParse(string text, int most, int least = 1)
    {
        var unit = text.EndsWith('k') || text.EndsWith('K') ? Thousand : 1;
        var digits = unit == 1 ? text : text[..^1];
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            && value <= most / unit && value * unit >= least ? (int)value * unit : null;
    }

    /// <summary>The shortest form that reads back.</summary>
    public static string Of(int tokens) => tokens % Thousand == 0
        ? (tokens / Thousand).ToString(CultureInfo.InvariantCulture) + "k"
        : tokens.ToString(CultureInfo.InvariantCulture);

    /// <summary>A setting with the context that it was measured at, if there is one.</summary>
    public static string Of(string setting, int? context) => context is { } tokens ? $"{setting} at {Of(tokens)}" : setting;
}
