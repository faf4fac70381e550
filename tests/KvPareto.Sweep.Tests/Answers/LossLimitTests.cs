using KvPareto.Sweep.Answers;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Answers;

public class LossLimitTests
{
    [Theory]
    [InlineData("2%", 1.0, 50, 2)]
    [InlineData("0.5 %", 1.0, 80, 1.25)]
    [InlineData("2pt", 1.5, 50, 1.5)]
    [InlineData("1.5pt", -3, 50, -3)]
    [InlineData("2%", 0, 0, 0)]
    public void Loss_IsInTheUnitThatWasWritten(string text, double points, double baseline, double loss) =>
        Assert.Equal(loss, LossLimit.Parse("--max-loss", text).Of(points, baseline), 12);

    [Theory]
    [InlineData("2")]
    [InlineData("")]
    [InlineData("-1%")]
    [InlineData("101%")]
    [InlineData("2 percent")]
    [InlineData("%")]
    [InlineData("1,5pt")]
    public void Text_WithoutUnitOrNumber_IsRefused(string text)
    {
        var error = Assert.Throws<ConfigException>(() => LossLimit.Parse("--max-loss", text));
        Assert.StartsWith($"--max-loss '{text}'; allowed: 0 to 100 with a unit: 2%", error.Message, StringComparison.Ordinal);
    }
}
