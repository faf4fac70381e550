using System.Runtime.InteropServices;

namespace KvPareto.Torch.Interop;

/// <summary>What TorchSharp's native part exports and TorchSharp itself does not offer.</summary>
internal static partial class TorchShim
{
    /// <summary>Address of a tensor's first element, on its device.</summary>
    [LibraryImport("LibTorchSharp")]
    internal static partial nint THSTensor_data(nint tensor);
}
