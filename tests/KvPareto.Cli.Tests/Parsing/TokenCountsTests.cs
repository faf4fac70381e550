using KvPareto.Cli.Parsing;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Tests.Parsing;

public sealed class TokenCountsTests
{
    [Theory]
    [InlineData("10k,32k,128k", new[] { 10_000, 32_000, 128_000 })]
    [InlineData("131072", new[] { 131_072 })]
    [InlineData("1, 2K", new[] { 1, 2_000 })]
    public void Parse_ReadsNumbersAndThousands(string text, int[] expected) =>
        Assert.Equal(expected, TokenCounts.Parse("--context", text, 200_000));

    [Theory]
    [InlineData("")]
    [InlineData("k")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("10k,")]
    [InlineData("1.5k")]
    [InlineData("201k")]
    [InlineData("200001")]
    [InlineData("99999999999999999999k")]
    public void Parse_RefusesTheRest(string text)
    {
        var error = Assert.Throws<ConfigException>(() => TokenCounts.Parse("--context", text, 200_000));
        Assert.StartsWith("--context '", error.Message, StringComparison.Ordinal);
    }
}
