using KvPareto.Engine.Settings;
using KvPareto.Testing;

namespace KvPareto.Engine.Tests.Settings;

public class SettingAxesTests
{
    /// <summary>The table of docs/config.md is that of the code. The message has the right lines to put there.</summary>
    [Fact]
    public void DocsTable_IsThatOfTheCode()
    {
        var standard = new InferenceSetting();
        var expected = string.Join('\n',
        [
            "| key | default | values | meaning |",
            "| --- | --- | --- | --- |",
            .. SettingAxes.All.Select(axis => $"| `{axis.Key}` | `{axis.WordOf(standard)}` | {axis.Words} | {axis.Meaning} |"),
        ]);
        var docs = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "docs", "config.md")).ReplaceLineEndings("\n");
        Assert.True(docs.Contains(expected + "\n\n", StringComparison.Ordinal), "docs/config.md should have\n" + expected);
    }

    [Fact]
    public void EveryDefault_IsAWordOfItsAxis_AndChangesNothing()
    {
        var standard = new InferenceSetting();
        foreach (var axis in SettingAxes.All)
        {
            Assert.Equal(standard, axis.Set(standard, axis.WordOf(standard)));
            Assert.False(string.IsNullOrWhiteSpace(axis.Meaning), axis.Key);
        }
    }
}
