namespace KvPareto.Cli.Workers;

/// <summary>How this program is started once more.</summary>
internal static class ThisProgram
{
    private const string Name = "kvpareto";
    private const string Host = "dotnet";

    /// <summary>Its own file, or where another program runs it, .NET's host with its assembly.</summary>
    public static (string File, IReadOnlyList<string> Arguments) Command()
    {
        var process = Environment.ProcessPath!;
        var name = Path.GetFileNameWithoutExtension(process);
        // Beside a file that holds all there is no assembly.
        var assembly = Path.Combine(AppContext.BaseDirectory, Name + ".dll");
        return name == Name || !File.Exists(assembly) ? (process, []) : (name == Host ? process : Host, [assembly]);
    }
}
