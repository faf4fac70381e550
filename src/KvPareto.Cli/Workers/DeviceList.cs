using System.Globalization;
using KvPareto.Cli.Parsing;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Workers;

/// <summary>What a user may write for <c>--devices</c>: <c>all</c>, or numbers of CUDA devices joined by commas.</summary>
internal static class DeviceList
{
    private const string All = "all";

    /// <summary>A worker for each device that is named; where one stands several times, its workers share its memory.</summary>
    /// <param name="text">What was written.</param>
    /// <param name="available">[devices]: bytes of each CUDA device that this machine has.</param>
    /// <exception cref="ConfigException">It is neither, or a device is not there.</exception>
    public static IReadOnlyList<WorkerDevice> Parse(string text, IReadOnlyList<long> available)
    {
        var numbers = text == All ? [.. Enumerable.Range(0, available.Count)] : Numbers(text);
        if (available.Count == 0)
            throw new ConfigException($"--devices {text}: this machine has no CUDA device or driver; allowed: --device cpu");
        if (numbers.Any(number => number >= available.Count))
            throw new ConfigException(
                $"--devices {text}; allowed: {(available.Count == 1 ? "0" : $"0 to {available.Count - 1}, joined by commas")}, or all");
        // All have the same, as what they sweep may depend on it (chunk: auto).
        var share = numbers.Distinct().Count() < numbers.Length
            ? numbers.Min(number => available[number] / numbers.Count(other => other == number)) : (long?)null;
        return [.. numbers.Select((_, place) => Worker(numbers, place, share))];
    }

    private static WorkerDevice Worker(int[] numbers, int place, long? share)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{Verb.Cuda}:{numbers[place]}");
        var before = numbers[..place].Count(number => number == numbers[place]);
        return new(before == 0 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}-{before + 1}"), name) { ShareBytes = share };
    }

    private static int[] Numbers(string text) => [.. text.Split(',').Select(item =>
        int.TryParse(item.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw new ConfigException($"--devices '{text}'; allowed: all, or numbers of CUDA devices joined by commas, such as 0,1"))];
}
