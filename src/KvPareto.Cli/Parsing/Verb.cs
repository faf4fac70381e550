using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Globalization;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Parsing;

/// <summary>A command whose help ends with an example.</summary>
/// <param name="name">What is typed.</param>
/// <param name="description">One sentence.</param>
/// <param name="example">Lines to try.</param>
/// <param name="appendix">Lines that follow them; empty for none.</param>
internal sealed class Verb(string name, string description, string example, string appendix = "") : Command(name, description)
{
    /// <summary>What a verb does that leaves something behind, on a thread of its own: else no signal reaches it as a
    /// cancellation.</summary>
    public void SetWork(Func<ParseResult, CancellationToken, int> work) =>
        SetAction((parsed, cancellation) => Task.Run(() => work(parsed, cancellation), CancellationToken.None));

    /// <summary>Makes <c>--help</c> show the examples of the verbs and of the program.</summary>
    public static RootCommand WithExamples(RootCommand root)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Aliases.Remove("/h"); // a path elsewhere than on Windows
        help.Aliases.Remove("/?");
        help.Action = new ExampleHelp((HelpAction)help.Action!);
        return root;
    }

    /// <summary>Lines to try.</summary>
    public static string ExampleOf(Command command) => (command as Verb)?.Example ?? ProgramExample;

    /// <summary>A parser's message on a value that is not of an option's type, in a user's words.</summary>
    public static string WithoutTypes(string message)
    {
        var type = message.IndexOf(" as expected type", StringComparison.Ordinal);
        if (type < 0) return message;
        return message[..type] + (message.Contains("Int", StringComparison.Ordinal) ? "; allowed: a whole number" : "; allowed: a number");
    }

    /// <summary>The option that every verb has that runs a model.</summary>
    public static Option<int?> ThreadsOption()
    {
        return new("--threads")
        {
            Description = "Threads. Default: one a processor. Scores do not depend on it; peaks do, by the scratch of each.",
            HelpName = "N",
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var threads)
                    && threads is >= 1 and <= MostThreads) return threads;
                result.AddError($"--threads '{text}'; allowed: 1 to {MostThreads}");
                return null;
            },
        };
    }

    /// <summary>The option that every verb has that runs a model on any device.</summary>
    public static Option<string> DeviceOption() => new("--device")
    {
        CompletionSources = { DeviceName.Usual },
        Description = "cpu, cuda (the first CUDA device), cuda:N, or PyTorch's: torch (the processor), torch:cuda, torch:cuda:N.",
        HelpName = "D",
        DefaultValueFactory = _ => Cpu,
    };

    /// <summary>The option that every verb has that writes a run folder.</summary>
    public static Option<bool> ResumeOption() =>
        new("--resume") { Description = "Go on with the run in DIR: measures only what is missing." };

    /// <summary>The same for several processes.</summary>
    public static Option<string?> WorkerOption() => new("--worker")
    {
        Description = "Name of this process where several share DIR; each takes trials that no other has, then helps with theirs.",
        HelpName = "NAME",
    };

    /// <summary>The option that every verb has that draws pictures.</summary>
    public static Option<string> FormatOption() => new("--format")
    {
        CompletionSources = { PictureFormats.Names },
        Description = "Kinds of pictures: png, svg, pdf, separated by commas.",
        HelpName = "F,…",
        DefaultValueFactory = _ => PictureFormats.Default,
    };

    /// <summary>The option that every verb has that writes a report.</summary>
    public static Option<bool> NoHtmlOption() => new("--no-html") { Description = "Without report.html." };

    /// <summary>Reads an option's number with its decimal point; the parser's own would leave out the comma of 1,5.</summary>
    public static double Number(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
            return number;
        result.AddError($"{((OptionResult)result.Parent!).Option.Name} '{text}'; allowed: a number");
        return 0;
    }

    /// <summary>Settings whose short names are joined by commas.</summary>
    /// <exception cref="ConfigException">One is no setting.</exception>
    public static IEnumerable<InferenceSetting> Settings(string names) =>
        names.Split(',', StringSplitOptions.TrimEntries).Select(InferenceSetting.Parse);

    /// <summary>The host's processor.</summary>
    public const string Cpu = "cpu";

    /// <summary>The first CUDA device.</summary>
    public const string Cuda = "cuda";

    private const int MostThreads = 1024;

    private const string ProgramExample =
        "kvpareto sweep                        the built-in quickstart\nkvpareto sweep my.yaml --out runs/a   a sweep of one's own";

    /// <summary>Lines that follow the example; empty for none.</summary>
    public string Appendix { get; } = appendix;

    private string Example { get; } = example;

    private sealed class ExampleHelp(HelpAction inner) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var code = inner.Invoke(parseResult);
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Example:");
            var command = parseResult.CommandResult.Command;
            foreach (var line in ExampleOf(command).Split('\n')) output.WriteLine($"  {line}");
            if (command is Verb { Appendix: { Length: > 0 } appendix })
            {
                output.WriteLine();
                output.Write(appendix);
            }
            return code;
        }
    }
}
