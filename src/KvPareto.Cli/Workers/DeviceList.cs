using System.Globalization;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Workers;

/// <summary>What a user may write for <c>--devices</c>: <c>all</c>, or numbers of CUDA devices joined by commas.</summary>
internal static class DeviceList
{
    private const string All = "all";

    /// <summary>The devices' names, as <c>--device</c> has them.</summary>
    /// <param name="text">What was written.</param>
    /// <param name="available">CUDA devices that this machine has.</param>
    /// <exception cref="ConfigException">It is neither, a device is not there or stands twice.</exception>
    public static IReadOnlyList<string> Parse(string text, int available)
    {
        var numbers = text == All ? [.. Enumerable.Range(0, available)] : Numbers(text);
        if (available == 0)
            throw new ConfigException($"--devices {text}: this machine has no CUDA device or driver; allowed: --device cpu");
        if (numbers.Any(number => number >= available))
            throw new ConfigException(
                $"--devices {text}; allowed: {(available == 1 ? "0" : $"0 to {available - 1}, joined by commas")}, or all");
        if (numbers.Distinct().Count() < numbers.Length) throw new ConfigException($"--devices {text}; allowed: each device once");
        return [.. numbers.Select(number => string.Create(CultureInfo.InvariantCulture, $"{Verb.Cuda}:{number}"))];
    }

    private static int[] Numbers(string text) => [.. text.Split(',').Select(item =>
        int.TryParse(item.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw new ConfigException($"--devices '{text}'; allowed: all, or numbers of CUDA devices joined by commas, such as 0,1"))];
}
