using KvPareto.Cli.Tests.Shell;

namespace KvPareto.Cli.Tests.Terminal;

public class StandardStreamsTests
{
    /// <summary>As in containers and automatic logins.</summary>
    [Fact]
    public async Task ATerminalWithoutASize_IsAsWideAsUsual()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("makes a terminal by script");
        var (without, usual) = (await Plan(columns: 0), await Plan(columns: 80));
        Assert.Contains("left out at 80 columns", usual, StringComparison.Ordinal);
        Assert.Equal(usual, without);
    }

    private static async Task<string> Plan(int columns)
    {
        var command = $"stty cols {columns} rows 0; dotnet '{typeof(KvParetoCommand).Assembly.Location}' plan embedded:llama --context 1k";
        var (code, output) = await ExternalProgram.Run("script", ["-qec", command, "/dev/null"], "");
        Assert.Equal(0, code);
        return output;
    }
}
