namespace KvPareto.Cli.Tests;

public class ClosedInputTests
{
    [Theory]
    [InlineData("tokenize", "embedded:llama")]
    [InlineData("score", "-")]
    [InlineData("generate", "embedded:llama", "--prompt-file", "-")]
    public void ClosedStandardInput_IsSaid(params string[] arguments)
    {
        var run = CommandRun.WithoutInput(arguments);
        Assert.Equal((2, ""), (run.Code, run.Output));
        Assert.StartsWith("kvpareto: standard input is closed; allowed: ", run.Error, StringComparison.Ordinal);
    }
}
