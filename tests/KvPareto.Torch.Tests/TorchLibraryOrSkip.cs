using KvPareto.Cuda;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;

namespace KvPareto.Torch.Tests;

/// <summary>libtorch, or a test that skips visibly with the one line that a user would see.</summary>
internal static class TorchLibraryOrSkip
{
    private static readonly Lazy<string?> Missing = new(() =>
    {
        try
        {
            TorchLibrary.Load();
            return null;
        }
        catch (ConfigException error)
        {
            return error.Message;
        }
    });

    /// <summary>Skips the calling test where libtorch cannot be loaded. KVPARETO_TORCH_TESTS=required makes that a failure
    /// instead.</summary>
    public static void Require()
    {
        if (Missing.Value is not { } reason) return;
        if (Environment.GetEnvironmentVariable("KVPARETO_TORCH_TESTS") == "required") Assert.Fail(reason);
        Assert.Skip(reason);
    }

    /// <summary>A backend on the device of KVPARETO_TORCH_DEVICE, or on the processor.</summary>
    /// <param name="stretchTokens">As the backend takes it.</param>
    /// <param name="usesKernels">With CUDA's kernels, where they can be had.</param>
    public static TorchBackend Backend(int? stretchTokens = null, bool usesKernels = true)
    {
        Require();
        return new TorchBackend(Device, threads: 1, stretchTokens, usesKernels ? CudaBackend.TryCreate : null);
    }

    /// <summary>KVPARETO_TORCH_DEVICE, as in <c>:cuda</c>; the processor where it is not set.</summary>
    public static TorchDevice Device { get; } = TorchDevice.Parse(Environment.GetEnvironmentVariable("KVPARETO_TORCH_DEVICE") ?? "")!;

    /// <summary>Whether tests run on a GPU, whose activations keep fewer bits.</summary>
    public static bool IsGpu => !Device.IsCpu;

    /// <summary>Types of attention's tensors that have kernels of their own there.</summary>
    public static DType[] AttentionTypes => IsGpu ? [DType.F32, DType.BF16] : [DType.F32];
}
