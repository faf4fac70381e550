using KvPareto.Cli.Parsing;
using KvPareto.Text.Input;
using KvPareto.Torch;

namespace KvPareto.Cli.Tests.Parsing;

public class DeviceNameTests
{
    [Fact]
    public void Parse_KnowsEveryForm()
    {
        Assert.Equal(default, DeviceName.Parse("cpu"));
        Assert.Equal(new DeviceName(0, null), DeviceName.Parse("cuda"));
        Assert.Equal(new DeviceName(3, null), DeviceName.Parse("cuda:3"));
        Assert.Equal(new DeviceName(null, TorchDevice.Cpu), DeviceName.Parse("torch"));
        Assert.Equal(new DeviceName(null, new TorchDevice("cuda")), DeviceName.Parse("torch:cuda"));
        Assert.Equal(new DeviceName(null, new TorchDevice("cuda", 2)), DeviceName.Parse("torch:cuda:2"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("gpu")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("torchcuda")]
    [InlineData("torch:cuda:x")]
    [InlineData("torch:")]
    public void Parse_NamesWhatIsAllowed(string name)
    {
        var error = Assert.Throws<ConfigException>(() => DeviceName.Parse(name));
        Assert.Equal($"--device {name}; allowed: cpu, cuda, cuda:N, torch, torch:cuda, torch:cuda:N, torch:mps", error.Message);
    }
}
