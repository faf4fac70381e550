using KvPareto.Cpu;
using KvPareto.Cuda;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;
using KvPareto.Torch;
using Spectre.Console;

namespace KvPareto.Cli;

/// <summary>What commands read from and write to; tests give their own.</summary>
/// <param name="Input">Standard input.</param>
/// <param name="Output">Standard output: results, and nothing else.</param>
/// <param name="Error">Standard error: messages and progress.</param>
/// <param name="Console">Tables and progress bars, on standard error.</param>
internal sealed record CommandContext(Stream Input, TextWriter Output, TextWriter Error, IAnsiConsole Console)
{
    private const int PlainWidth = 160;

    /// <summary>The process's own.</summary>
    public static CommandContext System()
    {
        var output = new StreamWriter(global::System.Console.OpenStandardOutput()) { AutoFlush = true };
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(global::System.Console.Error),
            Ansi = global::System.Console.IsErrorRedirected ? AnsiSupport.No : AnsiSupport.Detect,
            Interactive = global::System.Console.IsErrorRedirected ? InteractionSupport.No : InteractionSupport.Detect,
        });
        if (!terminal.Profile.Out.IsTerminal) terminal.Profile.Width = PlainWidth;
        return new(global::System.Console.OpenStandardInput(), output, global::System.Console.Error, terminal);
    }

    /// <summary>Writes a table that is a result to <see cref="Output"/>, plain.</summary>
    public void Write(Table table)
    {
        var plain = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Output), Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        plain.Profile.Width = PlainWidth;
        plain.Write(table);
    }

    /// <summary>The device that models run on.</summary>
    /// <param name="threads">Threads; null for one a processor.</param>
    /// <param name="device">As <see cref="DeviceName"/> reads it.</param>
    /// <exception cref="ConfigException">There is no such device.</exception>
    public static Backend CreateBackend(int? threads, string device = Verb.Cpu) => DeviceName.Parse(device) switch
    {
        { Torch: { } torch } => new TorchBackend(torch, threads),
        { CudaOrdinal: { } ordinal } => new CudaBackend(ordinal),
        _ => new CpuBackend(threads),
    };

    /// <summary>The sizes of a device's allocations; it need not be there.</summary>
    /// <param name="threads">As for <see cref="CreateBackend"/>.</param>
    /// <param name="device">As for <see cref="CreateBackend"/>.</param>
    /// <exception cref="ConfigException">There is no such kind of device.</exception>
    public static MemoryLayout Layout(int? threads, string device)
    {
        var name = DeviceName.Parse(device);
        if (name.Torch is { } torch) return new TorchMemoryLayout(torch);
        if (name.CudaOrdinal is not null) return new CudaMemoryLayout();
        using var backend = new CpuBackend(threads);
        return backend.Layout;
    }
}
