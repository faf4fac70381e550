using System.Text;
using KvPareto.Cli.Terminal;
using KvPareto.Cpu;
using KvPareto.Engine.Speed;
using Spectre.Console;

namespace KvPareto.Cli.Tests;

/// <summary>One command line with its exit code and what it wrote.</summary>
internal sealed record CommandRun(int Code, string Output, string Error)
{
    // Measured once, in as little time as gives figures: it takes 768 MiB to be touched.
    private static readonly Lazy<DeviceRates> Rates = new(() =>
    {
        using var backend = new CpuBackend(1);
        return CpuRates.Measure(backend, 0.1);
    });

    /// <summary>With empty standard input and no terminal.</summary>
    public static CommandRun Of(params string[] arguments) => Of(Stream.Null, null, arguments);

    /// <summary>With text on standard input.</summary>
    public static CommandRun WithInput(string input, params string[] arguments) =>
        Of(new MemoryStream(Encoding.UTF8.GetBytes(input)), null, arguments);

    /// <summary>With standard input closed.</summary>
    public static CommandRun WithoutInput(params string[] arguments) => Of(null, null, arguments);

    /// <summary>On a terminal of some columns.</summary>
    public static CommandRun OnTerminal(int columns, params string[] arguments) => Of(Stream.Null, columns, arguments);

    private static CommandRun Of(Stream? input, int? columns, string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error), Ansi = AnsiSupport.No });
        var context = new CommandContext(input, output, error, console)
        { OutputWidth = () => columns, ErrorWidth = () => columns, CpuRatesOf = _ => Rates.Value };
        var code = KvParetoCommand.Run(arguments, context);
        return new(code, output.ToString(), error.ToString());
    }
}
