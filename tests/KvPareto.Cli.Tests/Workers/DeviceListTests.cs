using KvPareto.Cli.Workers;
using KvPareto.Cuda;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Tests.Workers;

public class DeviceListTests
{
    [Theory]
    [InlineData("all", 1, "cuda:0")]
    [InlineData("all", 3, "cuda:0 cuda:1 cuda:2")]
    [InlineData("0,1", 2, "cuda:0 cuda:1")]
    [InlineData("3, 1", 4, "cuda:3 cuda:1")]
    public void Parse_GivesNames(string text, int available, string expected)
    {
        var workers = DeviceList.Parse(text, Bytes(available));
        Assert.Equal(expected, string.Join(' ', workers.Select(worker => worker.Name)));
        Assert.Equal(expected, string.Join(' ', workers.Select(worker => worker.Label)));
        Assert.All(workers, worker => Assert.Null(worker.ShareBytes));
    }

    [Fact]
    public void Parse_SharesADeviceThatStandsSeveralTimes() => Assert.Equal(
        [
            new WorkerDevice("cuda:1", "cuda:1") { ShareBytes = 666 }, new WorkerDevice("cuda:0", "cuda:0") { ShareBytes = 666 },
            new WorkerDevice("cuda:1-2", "cuda:1") { ShareBytes = 666 }, new WorkerDevice("cuda:1-3", "cuda:1") { ShareBytes = 666 },
        ],
        DeviceList.Parse("1,0,1,1", Bytes(2)));

    [Theory]
    [InlineData("all", 0, "--devices all: this machine has no CUDA device or driver; allowed: --device cpu")]
    [InlineData("0,1", 0, "--devices 0,1: this machine has no CUDA device or driver; allowed: --device cpu")]
    [InlineData("0,2", 2, "--devices 0,2; allowed: 0 to 1, joined by commas, or all")]
    [InlineData("1", 1, "--devices 1; allowed: 0, or all")]
    [InlineData("", 2, "--devices ''; allowed: all, or numbers of CUDA devices joined by commas, such as 0,1")]
    [InlineData("cpu,cpu", 2, "--devices 'cpu,cpu'; allowed: all, or numbers of CUDA devices joined by commas, such as 0,1")]
    [InlineData("0,-1", 2, "--devices '0,-1'; allowed: all, or numbers of CUDA devices joined by commas, such as 0,1")]
    [InlineData("99999999999", 2, "--devices '99999999999'; allowed: all, or numbers of CUDA devices joined by commas, such as 0,1")]
    public void Parse_RefusesAnythingElse(string text, int available, string expected) =>
        Assert.Equal(expected, Assert.Throws<ConfigException>(() => DeviceList.Parse(text, Bytes(available))).Message);

    [Fact]
    public void Sweep_RefusesADeviceBesideThem()
    {
        var run = CommandRun.Of("sweep", "--device", "cuda:1", "--devices", "0,1");
        Assert.Equal((2, "kvpareto: --device cuda:1 and --devices 0,1; allowed: one of the two\n"), (run.Code, run.Error));
    }

    [Fact]
    public void Sweep_RefusesAllOfNone()
    {
        if (CudaDevice.List().Count > 0) Assert.Skip("this machine has a CUDA device");
        foreach (var more in new[] { "--quiet", "--dry-run" })
        {
            var run = CommandRun.Of("sweep", "--devices", "all", more);
            Assert.Equal(
                (2, "kvpareto: --devices all: this machine has no CUDA device or driver; allowed: --device cpu\n"), (run.Code, run.Error));
        }
    }

    // Of device n: 1000 (n + 1).
    private static long[] Bytes(int devices) => [.. Enumerable.Range(1, devices).Select(number => 1000L * number)];
}
