namespace KvPareto.Torch.Tests;

public sealed class TorchScriptsTests
{
    [Fact]
    public void AnArgumentThatWouldNotBeHeld_IsRefused()
    {
        TorchLibraryOrSkip.Require();
        var error = Assert.Throws<ArgumentException>(() => TorchScripts.Run("decode", 1L));
        Assert.Contains("Int64", error.Message, StringComparison.Ordinal);
    }
}
