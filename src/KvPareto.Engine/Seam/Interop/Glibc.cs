using System.Runtime.InteropServices;

namespace KvPareto.Engine.Seam.Interop;

/// <summary>The one setting of glibc's allocator that this engine depends on.</summary>
internal static partial class Glibc
{
    private const int MmapThreshold = -3; // M_MMAP_THRESHOLD of malloc.h
    private const int LargeBytes = 1 << 20;

    /// <summary>
    /// Makes blocks of a mebibyte or more mappings of their own, which go back to the system when freed. By default glibc raises that
    /// size to 32 MiB as such blocks are freed; the staging of coded weights then leaves holes between the weights that are too
    /// small for the next one's: 2.2 GiB more resident than live after loading an 8B model at 4 bits. Does nothing where the C
    /// library is another.
    /// </summary>
    public static void ReturnLargeBlocks()
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            _ = MallOpt(MmapThreshold, LargeBytes);
        }
        catch (Exception error) when (error is EntryPointNotFoundException or DllNotFoundException)
        {
            return;
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int MallOpt(int parameter, int value);
}
