using KvPareto.Cli.Terminal;
using KvPareto.Sweep.Fidelity;

namespace KvPareto.Cli.Tests.Terminal;

public class FidelityTableTests
{
    /// <summary>A setting that destroys a model has a perplexity of any size; its line stays below the headings.</summary>
    [Theory]
    [InlineData(19.25, "    19.2500")]
    [InlineData(999_999.5, "999999.5000")]
    [InlineData(1_234_567.8, "  1.2346e+6")]
    [InlineData(1e200, "1.0000e+200")]
    public void Perplexity_KeepsItsColumn(double perplexity, string cell)
    {
        using var output = new StringWriter();
        new FidelityTable(output, width: null, longestSetting: null).Write(new FidelityRow
        {
            Model = "m",
            Text = "t",
            Tokens = 8,
            Window = 8,
            Setting = "w16a16-k2v2-t64",
            BitsPerElement = 2.5,
            BytesPerToken = 160,
            WeightBytes = 1000,
            Ppl = perplexity,
            ReferencePpl = perplexity,
            KlMean = 1,
            KlP50 = 1,
            KlP99 = 2,
            KlMax = 3,
            Top1 = 0.5,
            PplSecondHalf = perplexity,
            KlSecondHalf = 1,
            Seconds = 1,
        });
        var lines = output.ToString().Split('\n');
        var end = lines[1].IndexOf("perplexity", StringComparison.Ordinal) + "perplexity".Length;
        Assert.Equal(cell, lines[2][(end - cell.Length)..end]);
        Assert.Equal(lines[1].Length, lines[2].Length);
    }
}
