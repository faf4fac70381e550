namespace KvPareto.Engine.Tests;

public class CountTextTests
{
    [Theory]
    [InlineData(0, "0 trials")]
    [InlineData(1, "1 trial")]
    [InlineData(2, "2 trials")]
    [InlineData(12_345, "12,345 trials")]
    public void Of_HasAnSFromTwoOn(long count, string expected) => Assert.Equal(expected, CountText.Of(count, "trial"));
}
