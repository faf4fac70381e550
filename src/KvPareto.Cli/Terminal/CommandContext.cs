using KvPareto.Cli.Parsing;
using KvPareto.Cpu;
using KvPareto.Cuda;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Speed;
using KvPareto.Text.Input;
using KvPareto.Torch;
using Spectre.Console;

namespace KvPareto.Cli.Terminal;

/// <summary>What commands read from and write to; tests give their own.</summary>
/// <param name="Input">Standard input; null where it was closed.</param>
/// <param name="Output">Standard output: results, and nothing else.</param>
/// <param name="Error">Standard error: messages and progress.</param>
/// <param name="Console">Tables and progress, on standard error.</param>
internal sealed record CommandContext(Stream? Input, TextWriter Output, TextWriter Error, IAnsiConsole Console)
{
    /// <summary>As given, without what would steer a terminal.</summary>
    public TextWriter Output { get; } = new TerminalWriter(Output);

    /// <summary>As given, without what would steer a terminal.</summary>
    public TextWriter Error { get; } = new TerminalWriter(Error);

    /// <summary>Columns of the terminal that is standard output, asked anew each time; null where it is none.</summary>
    public Func<int?> OutputWidth { get; init; } = () => null;

    /// <summary>Columns of the terminal that is standard error, asked anew each time; null where it is none.</summary>
    public Func<int?> ErrorWidth { get; init; } = () => null;

    /// <summary>Measures what the processor does at best.</summary>
    public Func<CpuBackend, DeviceRates> CpuRatesOf { get; init; } = backend => CpuRates.Measure(backend);

    /// <summary>Standard input.</summary>
    /// <param name="what">What is expected of it, for the message.</param>
    /// <exception cref="ConfigException">It was closed.</exception>
    public Stream RequireInput(string what) =>
        Input ?? throw new ConfigException($"standard input is closed; allowed: a file, or {what} on standard input");

    /// <summary>Standard output for tables, without colours.</summary>
    public IAnsiConsole PlainOutput() => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(Output),
        Ansi = AnsiSupport.No,
        ColorSystem = ColorSystemSupport.NoColors,
    });

    /// <summary>The process's own.</summary>
    public static CommandContext System()
    {
        var output = new StreamWriter(StandardStreams.Output()) { AutoFlush = true };
        var error = TextWriter.Synchronized(new StreamWriter(StandardStreams.Error()) { AutoFlush = true });
        var isTerminal = StandardStreams.ErrorWidth() is not null;
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(error),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        return new(StandardStreams.Input(), output, error, terminal)
        { OutputWidth = StandardStreams.OutputWidth, ErrorWidth = StandardStreams.ErrorWidth };
    }

    /// <summary>The device that models run on.</summary>
    /// <param name="threads">Threads; null for one a processor.</param>
    /// <param name="device">As <see cref="DeviceName"/> reads it.</param>
    /// <exception cref="ConfigException">There is no such device.</exception>
    public static Backend CreateBackend(int? threads, string device = Verb.Cpu) => DeviceName.Parse(device) switch
    {
        { Torch: { } torch } => new TorchBackend(torch, threads, kernels: CudaBackend.TryCreate),
        { CudaOrdinal: { } ordinal } => new CudaBackend(ordinal),
        _ => new CpuBackend(threads),
    };

    /// <summary>What a device does at best; null where it has no room to measure that.</summary>
    public DeviceRates? RatesOf(Backend backend)
    {
        try
        {
            return backend switch
            {
                CpuBackend cpu => CpuRatesOf(cpu),
                CudaBackend cuda => CudaRates.Measure(cuda),
                _ => DeviceRates.OfProduct(backend),
            };
        }
        catch (OutOfMemoryException)
        {
            return null;
        }
    }

    /// <summary>The sizes of a device's allocations; it need not be there.</summary>
    /// <param name="threads">As for <see cref="CreateBackend"/>.</param>
    /// <param name="device">As for <see cref="CreateBackend"/>.</param>
    /// <exception cref="ConfigException">There is no such kind of device.</exception>
    public static MemoryLayout Layout(int? threads, string device)
    {
        var name = DeviceName.Parse(device);
        if (name.Torch is { } torch) return new TorchMemoryLayout(torch, torch.Kind == "cuda" ? new CudaMemoryLayout() : null);
        if (name.CudaOrdinal is not null) return new CudaMemoryLayout();
        using var backend = new CpuBackend(threads);
        return backend.Layout;
    }
}
