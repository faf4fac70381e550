using System.Runtime.InteropServices;

namespace KvPareto.Torch.Interop;

/// <summary>What TorchSharp's native part and libtorch export and TorchSharp itself does not offer.</summary>
internal static partial class TorchShim
{
    /// <summary>Address of a tensor's first element, on its device.</summary>
    [LibraryImport("LibTorchSharp")]
    internal static partial nint THSTensor_data(nint tensor);

    /// <summary>Makes a stream of one of NVIDIA's devices the current one of this thread (torch/csrc/stable/c/shim.h).</summary>
    [LibraryImport("torch_cuda", EntryPoint = "torch_set_current_cuda_stream")]
    internal static partial int SetStream(nint stream, int device);
}
