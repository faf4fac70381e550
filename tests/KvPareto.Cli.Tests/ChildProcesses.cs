using KvPareto.Cli.Tests;

[assembly: AssemblyFixture(typeof(ChildProcesses))]

namespace KvPareto.Cli.Tests;

/// <summary>
/// The program that tests start runs most of its code once: it compiles quickly, loops too, without counting for later, and without a
/// second mapping of each page of code.
/// </summary>
public sealed class ChildProcesses
{
    public ChildProcesses()
    {
        Environment.SetEnvironmentVariable("DOTNET_TieredPGO", "0");
        Environment.SetEnvironmentVariable("DOTNET_TC_QuickJitForLoops", "1");
        Environment.SetEnvironmentVariable("DOTNET_EnableWriteXorExecute", "0");
    }
}
