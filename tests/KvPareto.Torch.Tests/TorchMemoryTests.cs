using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using TorchSharp;

namespace KvPareto.Torch.Tests;

/// <summary>What no device holds is the failure of a trial, and leaves nothing counted behind.</summary>
public class TorchMemoryTests
{
    private const int Absurd = 1 << 30;
    private const long Rows = 1L << 46; // 2^51 bytes: a system that promises more memory than it has would begin to fill what it can address

    [Fact]
    public void Alloc_OfMoreThanThereIs_IsOutOfMemory()
    {
        using var backend = TorchLibraryOrSkip.Backend();
        var before = backend.Memory.Live;
        var error = Assert.ThrowsAny<OutOfMemoryException>(() => backend.Alloc(DType.F32, Absurd, Absurd / 4));
        Assert.StartsWith("the device has not enough memory: ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal(before, backend.Memory.Live);
    }

    [Fact]
    public void CreateCache_OfMoreThanThereIs_IsOutOfMemory()
    {
        using var backend = TorchLibraryOrSkip.Backend();
        var before = backend.Memory.Live;
        var geometry = new KvGeometry(8, 8, 1 << 16, [0, 0]);
        Assert.ThrowsAny<OutOfMemoryException>(() => backend.CreateCache(geometry, new KvSpec(), Absurd));
        Assert.Equal(before, backend.Memory.Live);
    }

    [Fact]
    public void Scripts_ThatTakeMoreThanThereIs_AreOutOfMemory()
    {
        using var backend = TorchLibraryOrSkip.Backend();
        using var one = torch.zeros([1, 1], device: new torch.Device(TorchLibraryOrSkip.Device.Kind));
        using var rows = one.expand(Rows, 8); // takes no more than one
        var error = Assert.ThrowsAny<OutOfMemoryException>(() => TorchScripts.Tensor("group", rows, 2, 4));
        Assert.DoesNotContain('\n', error.Message);
    }

    /// <summary>A copy to the host, as of what <c>Read</c> and a cache's <c>Unpack</c> hand out.</summary>
    [Fact]
    public void CopiesToTheHost_OfMoreThanThereIs_AreOutOfMemory()
    {
        using var backend = TorchLibraryOrSkip.Backend();
        using var one = torch.zeros([1, 1], device: new torch.Device(TorchLibraryOrSkip.Device.Kind));
        using var rows = one.expand(Rows, 8);
        Assert.ThrowsAny<OutOfMemoryException>(() => TorchScripts.Read([], "to_host", rows));
    }

    [Fact]
    public void OtherErrors_StayWhatTheyAre()
    {
        TorchLibraryOrSkip.Require();
        using var x = torch.zeros([2, 3]);
        var error = Record.Exception(() => TorchScripts.Run("add", x, x.t()));
        Assert.NotNull(error);
        Assert.IsNotType<InsufficientMemoryException>(error);
    }
}
