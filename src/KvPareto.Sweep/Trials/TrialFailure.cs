using System.Globalization;
using KvPareto.Engine.Cache;
using KvPareto.Tasks.Metrics;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>Tells a trial's failure, after which a sweep goes on, from everything else.</summary>
internal static class TrialFailure
{
    private const double Mebi = 1 << 20;
    private const double Gibi = 1 << 30;

    /// <summary>
    /// The reason in one line: out of memory, a value that is not a number, or a length beyond what the cache holds.
    /// Null for any other exception: a defect, a lost device and a full disk end the process, and a resumed run tries again.
    /// </summary>
    public static string? Reason(Exception failure) => failure switch
    {
        OutOfMemoryException => Of("out of memory", failure),
        NotFiniteNumberException => Of("not a number", failure),
        ScoreBudgetException => Of("not scored", failure),
        CapacityException => Of("too long", failure),
        _ => null,
    };

    /// <summary>The reason where a trial is not tried, as it cannot fit.</summary>
    /// <param name="predicted">Predicted peak in bytes.</param>
    /// <param name="room">Bytes that there are.</param>
    public static string TooLarge(long predicted, long room) =>
        $"does not fit: a peak of {Bytes(predicted)} is predicted, and there are {Bytes(room)}";

    private static string Bytes(long count) => count < Gibi
        ? string.Create(CultureInfo.InvariantCulture, $"{count / Mebi:F2} MiB")
        : string.Create(CultureInfo.InvariantCulture, $"{count / Gibi:F2} GiB");

    private static string Of(string kind, Exception failure) => $"{kind}: {OneLine.OfMessage(failure.Message)}";
}
