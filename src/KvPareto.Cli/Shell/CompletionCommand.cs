using System.CommandLine;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Shell;

/// <summary><c>kvpareto completion SHELL</c></summary>
internal static class CompletionCommand
{
    private static readonly string[] Shells = ["bash", "zsh", "fish"];

    public static Command Create(CommandContext context)
    {
        var shell = new Argument<string>("SHELL")
        {
            Description = $"The shell: {string.Join(", ", Shells)}.",
            HelpName = "SHELL",
            CompletionSources = { Shells },
        };
        var command = new Verb(
            "completion",
            "Prints a script by which a shell completes commands, options and values; it asks the program at each key press.",
            "eval \"$(kvpareto completion bash)\"                            in ~/.bashrc\n"
                + "eval \"$(kvpareto completion zsh)\"                             in ~/.zshrc, after compinit\n"
                + "kvpareto completion fish > ~/.config/fish/completions/kvpareto.fish")
        {
            shell,
        };
        command.SetAction(parsed =>
        {
            context.Output.Write(Script(parsed.GetValue(shell)!));
            return ExitCode.Ok;
        });
        return command;
    }

    private static string Script(string shell)
    {
        if (!Shells.Contains(shell)) throw new ConfigException($"completion '{shell}'; allowed: {string.Join(", ", Shells)}");
        using var script = new StreamReader(typeof(CompletionCommand).Assembly.GetManifestResourceStream($"completion.{shell}")!);
        return script.ReadToEnd();
    }
}
