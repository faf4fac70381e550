using System.Runtime.InteropServices;
using KvPareto.Cuda.Interop;

namespace KvPareto.Cuda;

/// <summary>A matrix in device memory as a kernel's copy engine takes it (clusters.cuh, TensorMap).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TensorMap
{
    private const int Words = 16;
    private const int Alignment = 64;
    private const int PairRows = 8; // that a product has side by side

    private fixed ulong _words[Words];

    /// <summary>Inputs [T, K] bf16, of which boxes of some rows are taken.</summary>
    public static TensorMap OfInputs(Matrix x, int rows, int columns, int boxRows) => Encode(
        CudaDriver.TensorMapBf16, x.Data, [(ulong)columns, (ulong)rows], [(ulong)x.Stride * sizeof(ushort)],
        [ManyKernel.SlabColumns, (uint)boxRows], isSwizzled: true);

    /// <summary>
    /// Rows of a weight by sixteens, those of even numbers first; or eight of each of a pair, the one at the lower address first.
    /// </summary>
    public static TensorMap OfWeights(CudaWeight weight, CudaWeight other, in ManyKernel kernel)
    {
        var isCoded = kernel.Bits < 16;
        var row = (ulong)weight.ColumnCount * (ulong)kernel.Bits / 8;
        var (outputs, isPair) = ((ulong)weight.RowCount, weight != other);
        return Encode(
            isCoded ? CudaDriver.TensorMapUInt8 : CudaDriver.TensorMapBf16, weight.Data,
            [isCoded ? row : (ulong)weight.ColumnCount, PairRows, 2, outputs / PairRows / (isPair ? 1u : 2u)],
            isPair ? [row, (ulong)(other.Data - weight.Data), PairRows * row] : [2 * row, row, 2 * PairRows * row],
            [(uint)(isCoded ? kernel.RowBytes : kernel.Inner), PairRows, 2, ManyKernel.BlockRows / PairRows / 2], isSwizzled: !isCoded);
    }

    private static TensorMap Encode(
        int type, nint address, ReadOnlySpan<ulong> sizes, ReadOnlySpan<ulong> strides, ReadOnlySpan<uint> box, bool isSwizzled)
    {
        var space = stackalloc byte[sizeof(TensorMap) + Alignment];
        var map = (TensorMap*)(((nint)space + Alignment - 1) / Alignment * Alignment);
        var steps = stackalloc uint[] { 1, 1, 1, 1 };
        fixed (ulong* size = sizes, stride = strides)
        fixed (uint* extent = box)
        {
            CudaException.ThrowIfFailed(
                CudaDriver.cuTensorMapEncodeTiled(
                    map, type, (uint)sizes.Length, address, size, stride, extent, steps, 0, isSwizzled ? CudaDriver.Swizzle128Bytes : 0,
                    CudaDriver.Promote256Bytes, 0),
                nameof(CudaDriver.cuTensorMapEncodeTiled));
        }
        return *map;
    }
}
