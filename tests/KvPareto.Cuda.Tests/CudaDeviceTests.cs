namespace KvPareto.Cuda.Tests;

public class CudaDeviceTests
{
    [Fact]
    [Trait("Category", "GPU")]
    public void List_NamesEveryDevice()
    {
        var devices = CudaDevice.List();
        if (devices.Count == 0) Assert.Skip("needs a CUDA device");
        Assert.All(devices, device => Assert.True(device.Name.Length > 0 && device.TotalBytes > 1L << 30, device.ToString()));
        Assert.Equal(Enumerable.Range(0, devices.Count), devices.Select(device => device.Ordinal));
    }

    [Fact]
    public void List_IsEmptyWithoutADriver()
    {
        if (System.Runtime.InteropServices.NativeLibrary.TryLoad("libcuda.so.1", out _)) Assert.Skip("this machine has a CUDA driver");
        Assert.Empty(CudaDevice.List());
    }
}
