using KvPareto.Text.Input;

namespace KvPareto.Torch.Tests;

/// <summary>What needs no libtorch: names of devices, where libtorch is looked for, meters.</summary>
public class TorchPlaceTests
{
    [Theory]
    [InlineData("", "torch")]
    [InlineData(":cpu", "torch")]
    [InlineData(":cuda", "torch:cuda")]
    [InlineData(":cuda:0", "torch:cuda")]
    [InlineData(":cuda:3", "torch:cuda:3")]
    [InlineData(":mps", "torch:mps")]
    [InlineData(":cuda:", null)]
    [InlineData(":cuda:-1", null)]
    [InlineData(":cuda:1:2", null)]
    [InlineData(":tpu", null)]
    [InlineData("cuda", null)]
    public void Devices_AreReadFromTheirNames(string suffix, string? name) => Assert.Equal(name, TorchDevice.Parse(suffix)?.ToString());

    [Fact]
    public void OldCppLibrary_OrMissingLibtorch_IsOneLine()
    {
        try
        {
            TorchLibrary.Load();
        }
        catch (ConfigException error)
        {
            Assert.StartsWith("device torch: ", error.Message, StringComparison.Ordinal);
            Assert.Contains("allowed: ", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        }
    }
}
