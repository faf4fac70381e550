using System.Numerics;
using KvPareto.Cuda.Interop;
using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>y = x·wᵀ by cuBLASLt, sums in f32. Algorithms are asked for once a shape.</summary>
internal sealed unsafe class MatrixProducts : IDisposable
{
    private const int LargestAlignment = 256;

    private readonly CudaContext _context;
    private readonly nint _handle;
    private readonly nint _descriptor;
    private readonly Dictionary<Shape, Plan> _plans = [];

    /// <summary>Opens the library.</summary>
    public MatrixProducts(CudaContext context)
    {
        _context = context;
        Check(CublasLt.cublasLtCreate(out _handle), nameof(CublasLt.cublasLtCreate));
        Check(CublasLt.cublasLtMatmulDescCreate(out _descriptor, CublasLt.Compute32F, Type(DType.F32)),
            nameof(CublasLt.cublasLtMatmulDescCreate));
        var transposed = CublasLt.Transposed;
        Check(CublasLt.cublasLtMatmulDescSetAttribute(_descriptor, CublasLt.DescriptorTransposeA, &transposed, sizeof(int)),
            nameof(CublasLt.cublasLtMatmulDescSetAttribute));
    }

    /// <summary>y [T, N] = x [T, K] · w [N, K]ᵀ, or added to y; x and w of one element type.</summary>
    /// <param name="x">Input.</param>
    /// <param name="weight">Rows without gaps.</param>
    /// <param name="y">Output.</param>
    /// <param name="rows">T.</param>
    /// <param name="outputs">N.</param>
    /// <param name="inputs">K.</param>
    /// <param name="adds">y keeps what it has.</param>
    /// <param name="workspace">Device memory that the product may use.</param>
    public void Multiply(
        Matrix x, nint weight, Matrix y, int rows, int outputs, int inputs, bool adds, (nint Address, long Bytes) workspace)
    {
        var shape = new Shape(
            rows, outputs, inputs, x.Stride, y.Stride, (DType)x.Type, (DType)y.Type, Alignment(x.Data), Alignment(weight),
                Alignment(y.Data), workspace.Bytes);
        if (!_plans.TryGetValue(shape, out var plan)) _plans[shape] = plan = Prepare(shape);
        _context.CountWork();
        float one = 1, kept = adds ? 1 : 0;
        fixed (ulong* algorithm = plan.Algorithm)
        {
            var code = CublasLt.cublasLtMatmul(
                _handle, _descriptor, &one, weight, plan.Weight, x.Data, plan.Input, &kept, y.Data, plan.Output, y.Data, plan.Output,
                algorithm, workspace.Address, (nuint)workspace.Bytes, _context.Stream);
            if (code != 0) Check(code, $"{nameof(CublasLt.cublasLtMatmul)}({shape})");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var plan in _plans.Values)
        {
            foreach (var layout in new[] { plan.Weight, plan.Input, plan.Output }) _ = CublasLt.cublasLtMatrixLayoutDestroy(layout);
        }
        _ = CublasLt.cublasLtMatmulDescDestroy(_descriptor);
        _ = CublasLt.cublasLtDestroy(_handle);
    }

    // Column-major, as the library has it, row-major matrices are their transposes: yᵀ [N, T] = w · xᵀ.
    private Plan Prepare(in Shape s)
    {
        var weight = Layout(s.InputType, s.Inputs, s.Outputs, s.Inputs);
        var input = Layout(s.InputType, s.Inputs, s.Rows, s.InputStride);
        var output = Layout(s.OutputType, s.Outputs, s.Rows, s.OutputStride);
        Check(CublasLt.cublasLtMatmulPreferenceCreate(out var preference), nameof(CublasLt.cublasLtMatmulPreferenceCreate));
        try
        {
            var bytes = (ulong)s.WorkspaceBytes;
            Check(CublasLt.cublasLtMatmulPreferenceSetAttribute(preference, CublasLt.PreferenceWorkspaceBytes, &bytes, sizeof(ulong)),
                "cublasLtMatmulPreferenceSetAttribute");
            ReadOnlySpan<int> alignments = [s.WeightAlignment, s.InputAlignment, s.OutputAlignment, s.OutputAlignment];
            for (var i = 0; i < alignments.Length; i++)
            {
                var alignment = alignments[i];
                Check(CublasLt.cublasLtMatmulPreferenceSetAttribute(preference, CublasLt.PreferenceAlignmentA + i, &alignment, sizeof(int)),
                    "cublasLtMatmulPreferenceSetAttribute");
            }
            CublasLt.HeuristicResult result;
            Check(
                CublasLt.cublasLtMatmulAlgoGetHeuristic(
                    _handle, _descriptor, weight, input, output, output, preference, 1, &result, out var found),
                $"{nameof(CublasLt.cublasLtMatmulAlgoGetHeuristic)}({s})");
            if (found == 0) Check(-1, $"{nameof(CublasLt.cublasLtMatmulAlgoGetHeuristic)}({s})");
            return new(weight, input, output, new ReadOnlySpan<ulong>(result.Algorithm, 8).ToArray());
        }
        finally
        {
            _ = CublasLt.cublasLtMatmulPreferenceDestroy(preference);
        }
    }

    private static nint Layout(DType type, int rows, int columns, int stride)
    {
        Check(CublasLt.cublasLtMatrixLayoutCreate(out var layout, Type(type), (ulong)rows, (ulong)columns, stride),
            nameof(CublasLt.cublasLtMatrixLayoutCreate));
        return layout;
    }

    // cudaDataType.
    private static int Type(DType type) => type switch { DType.F32 => 0, DType.F16 => 2, _ => 14 };

    private static int Alignment(nint address) =>
        Math.Min(LargestAlignment, 1 << BitOperations.TrailingZeroCount(address | LargestAlignment));

    private static void Check(int code, string call) => CudaException.ThrowIfProductFailed(code, call);

    private readonly record struct Shape(
        int Rows,
        int Outputs,
        int Inputs,
        int InputStride,
        int OutputStride,
        DType InputType,
        DType OutputType,
        int InputAlignment,
        int WeightAlignment,
        int OutputAlignment,
        long WorkspaceBytes);

    private sealed record Plan(nint Weight, nint Input, nint Output, ulong[] Algorithm);
}
