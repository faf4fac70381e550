using System.CommandLine;
using KvPareto.Engine.Settings;
using KvPareto.Testing;

namespace KvPareto.Cli.Tests;

public class HelpTests
{
    public static TheoryData<string> Verbs =>
        ["", "sweep", "report", "frontier", "recommend", "bench", "pull", "submit", "status", "replay", "generate", "tokenize", "score",
            "plan", "fidelity", "quantize", "doctor", "logits", "completion", "man"];

    /// <summary>Approved text of every verb's help: Data/help. Copy the received file over the approved one to approve a change.</summary>
    [Theory]
    [MemberData(nameof(Verbs))]
    public void Help_IsAsApproved(string verb)
    {
        var run = CommandRun.Of([.. verb.Length > 0 ? new[] { verb } : [], "--help"]);
        Assert.Equal(0, run.Code);
        var name = verb.Length > 0 ? verb : "kvpareto";
        var approved = TestData.Golden("help", name + ".txt");
        var received = run.Output.ReplaceLineEndings("\n").Replace(RootCommand.ExecutableName, "kvpareto", StringComparison.Ordinal);
        if (!File.Exists(approved) || File.ReadAllText(approved) != received)
            File.WriteAllText(Path.Combine(AppContext.BaseDirectory, name + ".received.txt"), received);
        Assert.Equal(File.Exists(approved) ? File.ReadAllText(approved) : "", received);
        Assert.Contains("Example:", received, StringComparison.Ordinal);
    }

    [Fact]
    public void AxesOfSweep_AreAllThere_WithinEightyColumnsOfAManualPage()
    {
        var output = CommandRun.Of("sweep", "--help").Output.ReplaceLineEndings("\n");
        var axes = output[output.IndexOf("Axes:\n", StringComparison.Ordinal)..].Split('\n');
        Assert.All(axes, line => Assert.InRange(line.Length, 0, 80 - 7));
        foreach (var key in SettingAxes.Keys) Assert.Contains(axes, line => line.StartsWith($"  {key} ", StringComparison.Ordinal));
    }
}
