using System.Runtime.InteropServices;

namespace KvPareto.Torch;

/// <summary>Tells that libtorch found no memory, which it says in words alone, from its other errors.</summary>
internal static class TorchMemory
{
    // CUDA, HIP and Metal; the processor; C++; cuBLAS.
    private static readonly string[] Words = ["out of memory", "can't allocate memory", "bad_alloc", "ALLOC_FAILED", "Invalid buffer size"];

    /// <summary>Runs what takes memory.</summary>
    /// <exception cref="InsufficientMemoryException">The device has not enough memory.</exception>
    public static T Guard<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (ExternalException error) when (Words.Any(word => error.Message.Contains(word, StringComparison.OrdinalIgnoreCase)))
        {
            throw new InsufficientMemoryException($"the device has not enough memory: {error.Message.Split('\n', 2)[0]}", error);
        }
    }
}
