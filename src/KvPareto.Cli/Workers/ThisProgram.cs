using System.Diagnostics.CodeAnalysis;

namespace KvPareto.Cli.Workers;

/// <summary>How this program is started once more.</summary>
internal static class ThisProgram
{
    private const string Host = "dotnet";

    /// <summary>Its own file, or where another program runs it, .NET's host with its assembly.</summary>
    public static (string File, IReadOnlyList<string> Arguments) Command()
    {
        var process = Environment.ProcessPath!;
        var assembly = AssemblyFile();
        var name = Path.GetFileNameWithoutExtension(process);
        return assembly.Length == 0 || name == Path.GetFileNameWithoutExtension(assembly) ? (process, [])
            : (name == Host ? process : Host, [assembly]);
    }

    // Of one file that holds all there is no assembly, and so no name: it is the process.
    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "An empty name is what is asked for.")]
    private static string AssemblyFile() => typeof(ThisProgram).Assembly.Location;
}
