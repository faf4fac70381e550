namespace KvPareto.Cli;

/// <summary>What the process returns.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>Done, but at least one trial failed, the journal has the reason, or is missing.</summary>
    public const int TrialsFailed = 1;

    /// <summary>A mistake in a file, an option or a value; one line on standard error says which.</summary>
    public const int UserMistake = 2;

    /// <summary>Nothing is within the memory or the loss that was asked for; standard error names what comes nearest.</summary>
    public const int NothingFits = 3;

    /// <summary>A fault of the program.</summary>
    public const int Internal = 70;

    /// <summary>Interrupted; a sweep goes on with <c>--resume</c>.</summary>
    public const int Interrupted = 130;
}
