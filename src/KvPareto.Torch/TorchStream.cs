namespace KvPareto.Torch;

/// <summary>
/// The stream of a CUDA device that a backend's work goes to. PyTorch keeps the current one for each thread, so that it is set wherever
/// another backend may have been at work before.
/// </summary>
/// <param name="ordinal">The device's number.</param>
internal sealed unsafe class TorchStream(int ordinal)
{
    // torch/csrc/stable/c/shim.h
    private readonly delegate* unmanaged<nint, int, int> _setCurrent =
        (delegate* unmanaged<nint, int, int>)TorchLibrary.Load().CudaFunction("torch_set_current_cuda_stream");

    /// <summary>CUDA's handle; 0 for the default stream.</summary>
    public nint Handle { get; set; }

    /// <summary>PyTorch's work goes there from now on, as far as this thread asks for it.</summary>
    public void MakeCurrent() => _ = _setCurrent(Handle, ordinal);
}
