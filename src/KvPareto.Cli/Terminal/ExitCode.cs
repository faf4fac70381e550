namespace KvPareto.Cli.Terminal;

/// <summary>What the process returns.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>Done, but at least one trial failed, the journal has the reason, or is missing.</summary>
    public const int TrialsFailed = 1;

    /// <summary>A mistake in a file, an option or a value; one line on standard error says which.</summary>
    public const int UserMistake = 2;

    /// <summary>
    /// What was asked for does not hold: nothing is within the memory or the loss, and standard error names what comes nearest; or a
    /// setting got worse than in an earlier run.
    /// </summary>
    public const int Unmet = 3;

    /// <summary>A fault of the program.</summary>
    public const int Internal = 70;

    /// <summary>Interrupted; a sweep goes on with <c>--resume</c>.</summary>
    public const int Interrupted = 130;

    /// <summary>What each says, for help and the manual page.</summary>
    public static IReadOnlyList<(int Code, string Meaning)> Meanings { get; } =
    [
        (Ok, "Done."),
        (TrialsFailed, "Done, with trials that failed or are missing."),
        (UserMistake, "A mistake in a file, option or value; one line says which."),
        (Unmet, "Nothing fits the memory or loss that was asked for, or a setting got worse than in an earlier run."),
        (Internal, "An error of the program's own."),
        (Interrupted, "Interrupted; a sweep goes on with --resume."),
    ];
}
