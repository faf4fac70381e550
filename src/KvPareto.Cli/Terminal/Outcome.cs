using KvPareto.Text.Input;

namespace KvPareto.Cli.Terminal;

/// <summary>What a command says of what went wrong.</summary>
internal static class Outcome
{
    private const int MostCharacters = 2000;

    /// <summary>The exit code of what went wrong, and its one line; null of an interruption, which the verb tells.</summary>
    public static (int Code, string? Line) Of(Exception error) => error switch
    {
        OperationCanceledException => (ExitCode.Interrupted, null),
        ConfigException or IOException or UnauthorizedAccessException => (ExitCode.UserMistake, OneLine(error.Message)),
        OutOfMemoryException =>
            (ExitCode.UserMistake, $"out of memory: {OneLine(error.Message)}; kvpareto plan says what a setting needs"),
        NotFiniteNumberException =>
            (ExitCode.UserMistake, $"{OneLine(error.Message)}: the model's weights are damaged, or the setting is too coarse for it"),
        _ => (ExitCode.Internal, $"internal error: {error.GetType().Name}: {OneLine(error.Message)}"),
    };

    /// <summary>A message as one line. What a user typed or a file holds stands in messages: it must neither steer the terminal nor fill
    /// it.</summary>
    public static string OneLine(string message)
    {
        var line = TerminalText.OneLine(message);
        return line.Length <= MostCharacters ? line : $"{line[..(MostCharacters / 2)]} … {line[^(MostCharacters / 2)..]}";
    }
}
