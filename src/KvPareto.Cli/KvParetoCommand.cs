using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using KvPareto.Cli.Commands;
using KvPareto.Cli.Doctor;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Shell;
using KvPareto.Cli.Terminal;
using KvPareto.Text.Input;

namespace KvPareto.Cli;

/// <summary>The command line: parses, runs a verb, and turns what goes wrong into one line and an exit code.</summary>
internal static class KvParetoCommand
{
    /// <summary>Runs one command line.</summary>
    public static int Run(IReadOnlyList<string> arguments, CommandContext context)
    {
        // A prompt may begin with '@'.
        var configuration = new ParserConfiguration { ResponseFileTokenReplacer = null };
        var parsed = Build(context).Parse([.. arguments.SelectMany(EmptyApart)], configuration);
        if (LineMistake(parsed, arguments) is { } mistake)
        {
            context.Error.WriteLine($"kvpareto: {Outcome.OneLine(mistake)}; 'kvpareto {NameOf(parsed)}--help' says what is allowed");
            return ExitCode.UserMistake;
        }
        try
        {
            // Only so are SIGINT and SIGTERM handed to a verb as a cancellation.
            return parsed.InvokeAsync(new InvocationConfiguration
            {
                Output = context.Output,
                Error = context.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = TimeSpan.FromSeconds(10),
            }).GetAwaiter().GetResult();
        }
        catch (Exception error)
        {
            // Verbs that can say more of an empty value do so.
            var (code, line) = error is ArgumentException && EmptyValue(parsed) is { } name
                ? (ExitCode.UserMistake, $"{name} ''; 'kvpareto {NameOf(parsed)}--help' says what is allowed") : Outcome.Of(error);
            if (line is not null) context.Error.WriteLine($"kvpareto: {line}");
            return code;
        }
    }

    private static RootCommand Build(CommandContext context) =>
        Verb.WithExamples(CompletionWords.AddTo(
            new("Sweeps LLM inference settings (weight bits, KV-cache bits, granularity, smoothing, prefill chunk), measures total peak "
                + "memory and task accuracy, and computes the Pareto frontier.")
        {
            SweepCommand.Create(context),
            ReportCommand.Create(context),
            FrontierCommand.Create(context),
            RecommendCommand.Create(context),
            PullCommand.Create(context),
            SubmitCommand.Create(context),
            StatusCommand.Create(context),
            ReplayCommand.Create(context),
            PlanCommand.Create(context),
            BenchCommand.Create(context),
            GenerateCommand.Create(context),
            TokenizeCommand.Create(context),
            ScoreCommand.Create(context),
            QuantizeCommand.Create(context),
            FidelityCommand.Create(context),
            DoctorCommand.Create(context),
            LogitsCommand.Create(context),
            CompletionCommand.Create(context),
            ManCommand.Create(context),
        }));

    // What is wrong with the line as such; null for nothing.
    private static string? LineMistake(ParseResult parsed, IReadOnlyList<string> arguments)
    {
        if (Valueless(parsed, arguments) is { } valueless) return $"{valueless} has no value";
        var unknown = UnknownOption(parsed);
        if (parsed.Action is not ParseErrorAction && unknown is null) return null;
        return (unknown ?? (parsed.UnmatchedTokens is [var first, ..] ? first : null)) is { } token
            ? $"'{token}' is no command or option here{Nearest.Question(token, Words(parsed))}"
            : Verb.WithoutTypes(parsed.Errors[0].Message).TrimEnd('.');
    }

    // The parser takes a misspelt option for an argument where there is room for one.
    private static string? UnknownOption(ParseResult parsed) =>
        parsed.Tokens.Any(token => token.Type == TokenType.DoubleDash) ? null
        : parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens)
            .Select(token => token.Value).FirstOrDefault(value => value is ['-', _, ..] && !Path.Exists(value));

    // The parser takes what follows '--out=' for its value.
    private static string[] EmptyApart(string argument) =>
        argument.StartsWith("--", StringComparison.Ordinal) && argument.IndexOf('=', StringComparison.Ordinal) == argument.Length - 1
            ? [argument[..^1], ""] : [argument];

    // As in '--out $RUN --resume' without a RUN, where the parser takes the next option for the value, and in '--out a --out', where it
    // keeps the first. Null for none.
    private static string? Valueless(ParseResult parsed, IReadOnlyList<string> arguments)
    {
        string[] words = [.. Words(parsed), "--help"];
        return parsed.CommandResult.Children.OfType<OptionResult>().FirstOrDefault(option =>
            (option.Option.Arity.MinimumNumberOfValues > 0 && option.Tokens.Count < option.IdentifierTokenCount)
                || option.Tokens.Any(value => words.Contains(value.Value)
                    && !arguments.Contains($"{option.IdentifierToken?.Value}={value.Value}")))?.Option.Name;
    }

    private static string[] Words(ParseResult parsed) =>
        [.. parsed.CommandResult.Command.Subcommands.Select(command => command.Name),
            .. parsed.CommandResult.Command.Options.SelectMany(option => option.Aliases.Prepend(option.Name))];

    // The option or argument that was given as ''; null for none.
    private static string? EmptyValue(ParseResult parsed) =>
        parsed.CommandResult.Children.FirstOrDefault(given => given.Tokens.Any(token => token.Value.Length == 0)) switch
        {
            OptionResult option => option.Option.Name,
            ArgumentResult argument => argument.Argument.Name,
            _ => null,
        };

    private static string NameOf(ParseResult parsed) =>
        parsed.CommandResult.Command is RootCommand ? "" : parsed.CommandResult.Command.Name + " ";
}
