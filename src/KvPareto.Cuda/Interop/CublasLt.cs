using System.Runtime.InteropServices;

namespace KvPareto.Cuda.Interop;

/// <summary>Functions of cuBLASLt, named as there. Each returns a cublasStatus_t.</summary>
internal static unsafe partial class CublasLt
{
    public const string Library = "libcublasLt.so.13";

    /// <summary>CUBLAS_COMPUTE_32F.</summary>
    public const int Compute32F = 68;

    /// <summary>CUBLASLT_MATMUL_DESC_TRANSA.</summary>
    public const int DescriptorTransposeA = 3;

    /// <summary>CUBLAS_OP_T.</summary>
    public const int Transposed = 1;

    /// <summary>CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES.</summary>
    public const int PreferenceWorkspaceBytes = 1;

    /// <summary>CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES; those of B, C and D follow.</summary>
    public const int PreferenceAlignmentA = 5;

    /// <summary>An algorithm with what it needs (cublasLtMatmulHeuristicResult_t).</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct HeuristicResult
    {
        public fixed ulong Algorithm[8];
        public nuint WorkspaceBytes;
        public int State;
        public float Waves;
        public fixed int Reserved[4];
    }

    [LibraryImport(Library)]
    public static partial int cublasLtCreate(out nint handle);

    [LibraryImport(Library)]
    public static partial int cublasLtDestroy(nint handle);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulDescCreate(out nint descriptor, int computeType, int scaleType);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulDescDestroy(nint descriptor);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulDescSetAttribute(nint descriptor, int attribute, void* value, nuint bytes);

    [LibraryImport(Library)]
    public static partial int cublasLtMatrixLayoutCreate(out nint layout, int type, ulong rows, ulong columns, long leadingDimension);

    [LibraryImport(Library)]
    public static partial int cublasLtMatrixLayoutDestroy(nint layout);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulPreferenceCreate(out nint preference);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulPreferenceDestroy(nint preference);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulPreferenceSetAttribute(nint preference, int attribute, void* value, nuint bytes);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmulAlgoGetHeuristic(
        nint handle, nint descriptor, nint a, nint b, nint c, nint d, nint preference, int requested, HeuristicResult* results,
            out int returned);

    [LibraryImport(Library)]
    public static partial int cublasLtMatmul(
        nint handle, nint descriptor, void* alpha, nint a, nint aLayout, nint b, nint bLayout, void* beta, nint c, nint cLayout, nint d,
            nint dLayout,
        void* algorithm, nint workspace, nuint workspaceBytes, nint stream);
}
