using System.Runtime.InteropServices;

namespace KvPareto.Engine.Seam.Interop;

/// <summary>What is asked of glibc and of the system about memory.</summary>
internal static partial class Glibc
{
    /// <summary>Bytes of a large page of x86-64, and of Arm64 with pages of 4 KiB.</summary>
    public const int LargePage = 2 << 20;

    private const int MmapThreshold = -3; // M_MMAP_THRESHOLD of malloc.h
    private const int HugePages = 14; // MADV_HUGEPAGE of sys/mman.h
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

    /// <summary>
    /// Asks for large pages within a block that has room for one, where the system gives them to those who ask (transparent_hugepage,
    /// madvise): a small page costs a fault at the first touch, which takes longer than filling it.
    /// </summary>
    public static void UseLargePages(nint address, long byteCount)
    {
        if (!OperatingSystem.IsLinux() || byteCount < LargePage) return;
        try
        {
            var page = Environment.SystemPageSize;
            var first = (address + page - 1) / page * page;
            _ = MAdvise(first, (nuint)(address + (nint)byteCount - first), HugePages);
        }
        catch (Exception error) when (error is EntryPointNotFoundException or DllNotFoundException)
        {
            return;
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MAdvise(nint address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int MallOpt(int parameter, int value);
}
