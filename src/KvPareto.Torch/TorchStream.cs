namespace KvPareto.Torch;

/// <summary>
/// The stream of one of NVIDIA's devices that a backend's work goes to. PyTorch keeps the current one for each thread, so that it is set
/// wherever another backend may have been at work before.
/// </summary>
internal sealed unsafe class TorchStream
{
    private readonly delegate* unmanaged<nint, int, int> _setCurrent; // torch/csrc/stable/c/shim.h
    private readonly int _ordinal;
    private nint _handle; // 0 for the default stream

    private TorchStream(nint setCurrent, int ordinal)
    {
        _setCurrent = (delegate* unmanaged<nint, int, int>)setCurrent;
        _ordinal = ordinal;
    }

    /// <summary>The default stream; null on other devices.</summary>
    public static TorchStream? TryCreate(int ordinal) =>
        TorchLibrary.Load().CudaFunction("torch_set_current_cuda_stream") is var function and not 0 ? new(function, ordinal) : null;

    /// <summary>Another stream from now on.</summary>
    public void Follow(nint handle)
    {
        _handle = handle;
        MakeCurrent();
    }

    /// <summary>PyTorch's work goes there, as far as this thread asks for it.</summary>
    public void MakeCurrent() => _ = _setCurrent(_handle, _ordinal);
}
