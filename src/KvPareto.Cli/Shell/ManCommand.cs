using System.CommandLine;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;

namespace KvPareto.Cli.Shell;

/// <summary><c>kvpareto man</c></summary>
internal static class ManCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Verb(
            "man", "Prints the manual page, made of the same texts as --help.",
            "kvpareto man | man -l -\nkvpareto man > ~/.local/share/man/man1/kvpareto.1");
        command.SetAction(parsed =>
        {
            context.Output.Write(ManPage.Of(parsed.RootCommandResult.Command));
            return ExitCode.Ok;
        });
        return command;
    }
}
