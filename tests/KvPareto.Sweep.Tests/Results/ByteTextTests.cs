using KvPareto.Sweep.Results;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Results;

public sealed class ByteTextTests
{
    [Theory]
    [InlineData("512B", 512)]
    [InlineData("1KiB", 1024)]
    [InlineData("1 KB", 1000)]
    [InlineData("7.5GiB", 8_053_063_680)]
    [InlineData("12GB", 12_000_000_000)]
    [InlineData("1024TiB", 1L << 50)]
    public void Parse_ReadsNumbersWithUnits(string text, long bytes) => Assert.Equal(bytes, ByteText.Parse("--fits", text));

    [Theory]
    [InlineData("")]
    [InlineData("8")]
    [InlineData("512")]
    [InlineData("GiB")]
    [InlineData("8G")]
    [InlineData("8iB")]
    [InlineData("8XB")]
    [InlineData("8GiBB")]
    [InlineData("-8GiB")]
    [InlineData("0GiB")]
    [InlineData("1e3GiB")]
    [InlineData("NaN")]
    [InlineData("1025TiB")]
    [InlineData("8,5GiB")]
    public void Parse_RefusesTheRest(string text)
    {
        var error = Assert.Throws<ConfigException>(() => ByteText.Parse("--fits", text));
        Assert.Equal($"--fits '{text}'; allowed: a number and a unit, such as 8GiB: B, KB, MB, GB, TB, KiB, MiB, GiB, TiB", error.Message);
    }
}
