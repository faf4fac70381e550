using KvPareto.Cli.Parsing;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Tests.Parsing;

public class NumberRangesTests
{
    [Theory]
    [InlineData("512", "512")]
    [InlineData("1k,2k,512", "1000,2000,512")]
    [InlineData("512-4096*2", "512,1024,2048,4096")]
    [InlineData("1k-5k*2", "1000,2000,4000")]
    [InlineData("0-2k+500", "0,500,1000,1500,2000")]
    [InlineData("3-6", "3,4,5,6")]
    [InlineData("7-7", "7")]
    [InlineData("1, 1, 0-1", "1,0")]
    public void List_IsRead(string text, string numbers) =>
        Assert.Equal(numbers, string.Join(',', NumberRanges.Parse("-p", text, 0, 100_000)));

    [Theory]
    [InlineData("")]
    [InlineData("-5")]
    [InlineData("5-1")]
    [InlineData("1-2-3")]
    [InlineData("1-10*1")]
    [InlineData("0-10*2")]
    [InlineData("1-10+0")]
    [InlineData("1-10*")]
    [InlineData("100001")]
    [InlineData("101k")]
    [InlineData("99999999999999999999k")]
    [InlineData("1.5k")]
    [InlineData("512,")]
    public void Text_ThatIsNone_IsRefused(string text) => Assert.Contains(
        "allowed: numbers from 0 to 100000 joined by commas, k for 1,000, and ranges",
        Assert.Throws<ConfigException>(() => NumberRanges.Parse("-p", text, 0, 100_000)).Message, StringComparison.Ordinal);

    [Fact]
    public void TooMany_AreRefused() => Assert.Equal(
        "-p '0-5000'; allowed: at most 1000 numbers",
        Assert.Throws<ConfigException>(() => NumberRanges.Parse("-p", "0-5000", 0, 100_000)).Message);
}
