using KvPareto.Engine.Cache;
using KvPareto.Tasks.Metrics;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>Tells a trial's failure, after which a sweep goes on, from everything else.</summary>
internal static class TrialFailure
{
    /// <summary>
    /// The reason in one line: out of memory, a value that is not a number, or a length beyond what the cache holds.
    /// Null for any other exception: a defect, a lost device and a full disk end the process, and a resumed run tries again.
    /// </summary>
    public static string? Reason(Exception failure) => failure switch
    {
        OutOfMemoryException => Of("out of memory", failure),
        ArithmeticException => Of("not a number", failure),
        ScoreBudgetException => Of("not scored", failure),
        CapacityException => Of("too long", failure),
        _ => null,
    };

    private static string Of(string kind, Exception failure) => $"{kind}: {OneLine.OfMessage(failure.Message)}";
}
