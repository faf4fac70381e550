using System.Reflection;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>The ops as TorchScript (Scripts/*.py), compiled once a process: one call runs many of PyTorch's ops without coming back to .NET.</summary>
internal static class TorchScripts
{
    private static readonly Lazy<torch.jit.CompilationUnit> Unit = new(() => torch.jit.compile(string.Join('\n', new[] { "codec.py", "side.py", "attention.py", "elements.py" }.Select(Text))));

    /// <summary>Runs a function that returns a tensor; the caller disposes it.</summary>
    public static torch.Tensor Tensor(string function, params object?[] arguments) => (torch.Tensor)Unit.Value.invoke(function, arguments!);

    /// <summary>Runs a function for what it does to its arguments.</summary>
    public static void Run(string function, params object?[] arguments) => Unit.Value.invoke(function, arguments!);

    private static string Text(string file)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(file)!);
        return reader.ReadToEnd();
    }
}
