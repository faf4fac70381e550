using System.Globalization;
using System.Reflection;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>The ops as TorchScript (Scripts/*.py), compiled once a process: one call runs many of PyTorch's ops without coming back to
/// .NET.</summary>
internal static class TorchScripts
{
    private static readonly Lazy<torch.jit.CompilationUnit> Unit =
        new(() => torch.jit.compile(string.Join('\n', new[] { "codec.py", "side.py", "attention.py", "elements.py" }.Select(Text))));

    /// <summary>Runs a function that returns a tensor; the caller disposes it.</summary>
    public static torch.Tensor Tensor(string function, params object?[] arguments) => (torch.Tensor)Invoke(function, arguments);

    /// <summary>Runs a function for what it does to its arguments.</summary>
    public static void Run(string function, params object?[] arguments) => Invoke(function, arguments);

    // TorchSharp makes native numbers of managed ones, and lets the collector give them back before they are read: these are held.
    private static object Invoke(string function, object?[] arguments)
    {
        var held = Array.ConvertAll(arguments, argument => argument switch
        {
            int number => ((long)number).ToScalar(),
            double number => number.ToScalar(),
            _ => argument,
        });
        var result = Unit.Value.invoke(function, held!);
        foreach (var argument in held) (argument as Scalar)?.Dispose();
        GC.KeepAlive(held);
        return result;
    }

    // Compiled from text, scripts know element types by their numbers alone (c10/core/ScalarType.h).
    private static readonly (string Name, int Number)[] Types = [("uint8", 0), ("int16", 2), ("int32", 3), ("half", 5), ("float32", 6)];

    private static string Text(string file)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(file)!);
        return Types.Aggregate(
            reader.ReadToEnd(), (text, type) =>
                text.Replace(
                    $"torch.{type.Name})", string.Create(CultureInfo.InvariantCulture, $"{type.Number})"), StringComparison.Ordinal));
    }
}
