using Spectre.Console;

namespace KvPareto.Cli.Tests;

/// <summary>One command line with its exit code and what it wrote.</summary>
internal sealed record CommandRun(int Code, string Output, string Error)
{
    public static CommandRun Of(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error), Ansi = AnsiSupport.No });
        var code = KvParetoCommand.Run(arguments, new CommandContext(Stream.Null, output, error, console));
        return new(code, output.ToString(), error.ToString());
    }
}
