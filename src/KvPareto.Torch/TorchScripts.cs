using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using TorchSharp;
using Tensor = KvPareto.Engine.Seam.Tensor;

namespace KvPareto.Torch;

/// <summary>
/// The ops as TorchScript (Scripts/*.py), compiled once a process: one call runs many of PyTorch's ops without coming back to .NET.
/// Arguments are numbers, PyTorch's tensors and the seam's, and arrays of both.
/// </summary>
internal static class TorchScripts
{
    private static readonly Lazy<torch.jit.CompilationUnit> Unit =
        new(() => torch.jit.compile(string.Join('\n', new[] { "codec.py", "side.py", "attention.py", "elements.py" }.Select(Text))));

    /// <summary>Runs a function that returns a tensor; the caller disposes it.</summary>
    /// <exception cref="InsufficientMemoryException">The device has not enough memory.</exception>
    public static torch.Tensor Tensor(string function, params object?[] arguments) =>
        TorchMemory.Guard(() => (torch.Tensor)Invoke(function, arguments));

    /// <summary>Runs a function for what it does to its arguments.</summary>
    /// <inheritdoc cref="Tensor"/>
    public static void Run(string function, params object?[] arguments) => TorchMemory.Guard(() => Invoke(function, arguments));

    /// <summary>Copies what a function returns to the host as f32, row after row.</summary>
    /// <inheritdoc cref="Tensor"/>
    public static void Read(Span<float> destination, string function, params object?[] arguments)
    {
        using var rows = Tensor(function, arguments);
        using var host = Tensor("to_host", rows);
        MemoryMarshal.Cast<byte, float>(host.bytes).CopyTo(destination);
    }

    // TorchSharp makes native numbers of managed ones, and lets the collector give them back before they are read: these are held.
    private static object Invoke(string function, object?[] arguments)
    {
        var held = Array.ConvertAll(arguments, argument => argument switch
        {
            null or torch.Tensor or torch.Tensor[] => argument,
            int number => ((long)number).ToScalar(),
            float or double => Convert.ToDouble(argument).ToScalar(),
            Tensor view => TorchBuffer.View(view),
            Tensor[] views => Array.ConvertAll(views, TorchBuffer.View),
            _ => throw new ArgumentException($"'{function}' was given a {argument.GetType()}.", nameof(arguments)),
        });
        try
        {
            return Unit.Value.invoke(function, held!);
        }
        finally
        {
            foreach (var number in held.OfType<Scalar>()) number.Dispose();
            GC.KeepAlive(held);
        }
    }

    // Compiled from text, scripts know element types by their numbers alone.
    private static string Text(string file)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(file)!);
        return Regex.Replace(
            reader.ReadToEnd(), @"torch\.((int|b?float)\d+)\b", name => $"{Enum.Parse<torch.ScalarType>(name.Groups[1].Value, true):D}");
    }
}
