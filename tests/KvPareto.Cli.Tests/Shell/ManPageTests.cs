using System.Text.RegularExpressions;
using KvPareto.Testing;

namespace KvPareto.Cli.Tests.Shell;

public partial class ManPageTests
{
    /// <summary>What <c>--help</c> says of a command stands on the page: options, and its words one after the other.</summary>
    [Theory]
    [MemberData(nameof(HelpTests.Verbs), MemberType = typeof(HelpTests))]
    public void Page_SaysWhatHelpSays(string verb)
    {
        var page = Plain(Page());
        var help = File.ReadAllText(TestData.Golden("help", (verb.Length > 0 ? verb : "kvpareto") + ".txt"));
        var description = help.Split('\n')[1].Trim().TrimEnd('.');
        Assert.Contains(description[1..], page, StringComparison.Ordinal);
        foreach (Match option in Options().Matches(help)) Assert.Contains(option.Value.Trim(), page, StringComparison.Ordinal);
        var example = help[(help.IndexOf("Example:", StringComparison.Ordinal) + 8)..].Split('\n')[1].Trim();
        Assert.Contains(example, page, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_IsAscii_AndSaysTheVersion()
    {
        Assert.DoesNotContain(Page(), character => character > 0x7e);
        Assert.Contains($"\"kvpareto {CommandRun.Of("--version").Output.Trim().Split('+')[0]}\"", Page(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_IsWithoutWarnings_ForGroff()
    {
        var (code, output) = await ExternalProgram.Run("groff", ["-man", "-Tutf8", "-ww", "-z"], Page());
        Assert.Equal((0, ""), (code, output));
    }

    [Fact]
    public async Task Page_IsWithoutWarnings_ForMandoc()
    {
        var (_, output) = await ExternalProgram.Run("mandoc", ["-T", "lint", "-W", "warning"], Page());
        // The page is the same whenever it is made.
        Assert.DoesNotContain(output.Split('\n'), line => line.Length > 0 && !line.Contains("missing date", StringComparison.Ordinal));
    }

    private static string Page()
    {
        var run = CommandRun.Of("man");
        Assert.Equal(0, run.Code);
        return run.Output;
    }

    private static string Plain(string page) => Codepoints()
        .Replace(page, match => ((char)Convert.ToInt32(match.Groups[1].Value, 16)).ToString())
        .Replace("\\-", "-", StringComparison.Ordinal).Replace("\\(aq", "'", StringComparison.Ordinal)
        .Replace("\\(dq", "\"", StringComparison.Ordinal).Replace("\\(ti", "~", StringComparison.Ordinal)
        .Replace("\\(rs", "\\", StringComparison.Ordinal).Replace("\\&", "", StringComparison.Ordinal);

    [GeneratedRegex(@"\\\[u([0-9A-F]+)\]")]
    private static partial Regex Codepoints();

    [GeneratedRegex(@"(?m)^  (?:-.+?, )?--[a-z-]+")]
    private static partial Regex Options();
}
