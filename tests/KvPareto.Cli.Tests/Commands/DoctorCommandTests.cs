namespace KvPareto.Cli.Tests.Commands;

public class DoctorCommandTests
{
    [Fact]
    public void Doctor_SaysWhatIsThere_AndComparesBackends()
    {
        var run = CommandRun.Of(
            "doctor", "embedded:llama", "--threads", "1", "--setting", "w16a16-k16v16", "--setting", "w16a16-k8v8-t64-prebias");
        Assert.Equal("", run.Error);
        Assert.Equal(0, run.Code);
        foreach (var line in new[] { ".NET ", "processor ", "CUDA devices ", "libtorch ", "cpu ", "cuda ", "torch ", "torch:cuda " })
            Assert.Contains("\n" + line, "\n" + run.Output, StringComparison.Ordinal);
        Assert.Matches(@"w16a16-k16v16 +cpu +0 +0\.001 +\d+ +pass", run.Output);
        Assert.Matches(@"w16a16-k8v8-t64-prebias .*left out: prebias: the model's keys have no bias", run.Output);
    }

    [Fact]
    public void Doctor_RefusesAnUnknownSettingInOneLine()
    {
        var run = CommandRun.Of("doctor", "--setting", "w3a16");
        Assert.Equal(2, run.Code);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }
}
