using System.Collections;
using System.CommandLine;
using System.Globalization;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;

namespace KvPareto.Cli.Shell;

/// <summary>The manual page, made of the command tree: what <c>--help</c> says of every command, on one page.</summary>
internal static class ManPage
{
    private const string Program = "kvpareto";

    private static readonly Version Version = typeof(ManPage).Assembly.GetName().Version!;

    /// <summary>The page as roff.</summary>
    public static string Of(Command root)
    {
        var page = new Roff()
            .Macro("TH", Program.ToUpperInvariant(), "1", "", $"{Program} {Version.ToString(3)}", "User Commands")
            .Macro("SH", "NAME").Line($"{Program} - {Phrase(root.Description!)}")
            .Macro("SH", "SYNOPSIS").Macro("B", Program).Macro("I", "COMMAND").Line("[arguments] [options]")
            .Macro("SH", "COMMANDS");
        foreach (var command in root.Subcommands.Where(command => !command.Hidden)) Write(page, command);
        page.Macro("SH", "OPTIONS");
        foreach (var option in root.Options.Where(option => !option.Hidden)) Write(page, option);
        page.Macro("SH", "EXIT STATUS");
        foreach (var (code, meaning) in ExitCode.Meanings)
            page.Macro("TP").Macro("B", code.ToString(CultureInfo.InvariantCulture)).Line(meaning);
        return page.Macro("SH", "EXAMPLES").Lines(Verb.ExampleOf(root)).ToString();
    }

    private static void Write(Roff page, Command command)
    {
        var arguments = command.Arguments.Where(argument => !argument.Hidden).ToList();
        page.Macro("SS", string.Join(' ', [Program, command.Name, .. arguments.Select(Usage)])).Line(command.Description!);
        foreach (var argument in arguments)
        {
            page.Macro("TP").Macro("I", argument.Name)
                .Line(argument.Description + Default(argument.HasDefaultValue, argument.GetDefaultValue));
        }
        foreach (var option in command.Options.Where(option => !option.Hidden)) Write(page, option);
        page.Macro("P").Line("Example:").Macro("P").Lines(Verb.ExampleOf(command));
        if (command is Verb { Appendix: { Length: > 0 } appendix }) page.Macro("P").Lines(appendix);
    }

    private static void Write(Roff page, Option option)
    {
        var names = string.Join(
            ", ", option.Aliases.Append(option.Name).OrderBy(name => name.Length).ThenBy(name => name, StringComparer.Ordinal));
        page.Macro("TP");
        if (option.HelpName is { } value) page.Macro("BI", names + " ", value);
        else page.Macro("B", names);
        page.Line(option.Description + (option.Required ? " Required." : Default(option.HasDefaultValue, option.GetDefaultValue)));
    }

    private static string Usage(Argument argument) =>
        (argument.Arity.MinimumNumberOfValues == 0 || argument.HasDefaultValue ? $"[{argument.Name}]" : argument.Name)
        + (argument.Arity.MaximumNumberOfValues > 1 ? "..." : "");

    private static string Default(bool has, Func<object?> get)
    {
        if (!has) return "";
        var text = get() switch
        {
            bool => "",
            string one => one,
            IEnumerable many => string.Join(", ", many.Cast<object>()),
            var other => Convert.ToString(other, CultureInfo.InvariantCulture) ?? "",
        };
        return text.Length > 0 ? $" Default: {text}." : "";
    }

    // A page's name is followed by a phrase.
    private static string Phrase(string sentence) => char.ToLowerInvariant(sentence[0]) + sentence[1..].TrimEnd('.');
}
