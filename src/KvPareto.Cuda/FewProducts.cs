using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>Products of up to <see cref="FewKernel.MostRows"/> rows.</summary>
internal sealed class FewProducts(CudaContext context, ProductScratch scratch)
{
    private const int Outputs = 16; // of a tile (stream.cuh, OUTPUTS)
    private const int MostOwnBytes = 512; // of a kernel (FewKernel.OwnBytes)
    private const string AnyKernel = "linear_any";

    private readonly string[] _options = FewKernel.Options(context.SharedBytes - MostOwnBytes);

    private int SharedBytes => context.SharedBytes - MostOwnBytes;

    private KernelModule Module => context.Module(FewKernel.File, _options);

    /// <summary>Multiplies one input, normalised first where there is a gain, with weights of one width; false where no kernel does all of
    /// it.</summary>
    /// <param name="x">Input.</param>
    /// <param name="norm">Gain [K] f32 or 0, and epsilon.</param>
    /// <param name="keepsF32">f32 inputs, or f32 results of the norm, are not rounded to bf16.</param>
    /// <param name="weights">Weights.</param>
    /// <param name="ys">Results; one alone where they are gated.</param>
    /// <param name="mode">What becomes of sums.</param>
    public bool TryMultiply(
        Tensor x, (nint Gain, float Epsilon) norm, bool keepsF32, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys, LinearMode mode)
    {
        if (x.RowCount > FewKernel.MostRows) return false;
        foreach (var weight in weights)
        {
            var first = (CudaWeight)weights[0];
            if (Fitting(x, norm.Gain, (CudaWeight)weight, keepsF32) is not { } kernel) return false;
            if (mode == LinearMode.Gated
                && (kernel != Fitting(x, norm.Gain, first, keepsF32) || ((CudaWeight)weight).Rows.Group != first.Rows.Group)) return false;
        }
        var arguments = new LinearArguments { Gain = norm.Gain, Epsilon = norm.Epsilon, Mode = (int)mode };
        for (var at = 0; at < weights.Length;)
        {
            var kernel = Fitting(x, norm.Gain, (CudaWeight)weights[at], keepsF32)!.Value;
            var count = 1;
            while (count < LinearParts.Count && at + count < weights.Length
                && Fitting(x, norm.Gain, (CudaWeight)weights[at + count], keepsF32) == kernel) count++;
            Launch(kernel, arguments, x, weights.Slice(at, count), mode == LinearMode.Gated ? ys : ys.Slice(at, count));
            at += count;
        }
        return true;
    }

    /// <summary>Begins to compile the kernels.</summary>
    public void Prepare() => context.Prepare(FewKernel.File, _options);

    /// <summary>Multiplies by whatever kernels there are.</summary>
    public void Multiply(Tensor x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        if (TryMultiply(x, default, x.Type == DType.F32, weights, ys, LinearMode.Store)) return;
        for (var i = 0; i < ys.Length; i++)
        {
            if (TryMultiply(x, default, x.Type == DType.F32, weights.Slice(i, 1), ys.Slice(i, 1), LinearMode.Store)) continue;
            var arguments = new LinearArguments { X = x, Rows = x.RowCount };
            var tiles = Fill(ref arguments, weights.Slice(i, 1), ys.Slice(i, 1));
            context.Launch(Module, AnyKernel, new(tiles), FewKernel.Threads, arguments);
        }
    }

    // The kernel, if one row at least has room in shared memory.
    private FewKernel? Fitting(Tensor x, nint gain, CudaWeight weight, bool keepsF32) =>
        FewKernel.Of(x, weight, keepsF32)?.For(x.RowCount, weight.ColumnCount, x.Type == DType.BF16 && gain == 0, SharedBytes);

    // In as few passes over the weights as shared memory allows, of about the same number of rows.
    private void Launch(FewKernel kernel, LinearArguments arguments, Tensor x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        var columns = x.ColumnCount;
        var teams = kernel.Teams(SharedBytes);
        (arguments.X, arguments.Rows, arguments.Prepared) = (x, x.RowCount, scratch.Address);
        var all = Fill(ref arguments, weights, ys);
        var tilesOfTeam = (all + teams * context.Multiprocessors - 1) / (teams * context.Multiprocessors);
        if (kernel.MostRowsOfPass(columns, SharedBytes) < x.RowCount)
            kernel = kernel.InChunks(x.RowCount, columns, tilesOfTeam, SharedBytes);
        var passes = kernel.Chunks > 1 ? 1 : Passes(kernel, x);
        if (kernel.IsMany && passes * kernel.PreparedBytes(columns, SharedBytes) > scratch.ByteCount) // next to no outputs
        {
            kernel = kernel with { IsMany = false, Chunks = 1 };
            passes = Passes(kernel, x);
        }
        var rows = (x.RowCount + passes - 1) / passes;
        var prepared = kernel.IsMany ? kernel.PreparedBytes(columns, SharedBytes) : 0;
        arguments.Chunks = kernel.Chunks;
        if (kernel.IsMany) context.Launch(Module, kernel.PrepareFunction, new(rows, passes), teams * FewKernel.Threads, arguments);
        for (var pass = 0; pass < passes; pass++)
        {
            var first = pass * rows;
            var part = x.Rows(first, Math.Min(rows, x.RowCount - first));
            var results = new Tensor[ys.Length];
            for (var i = 0; i < ys.Length; i++) results[i] = ys[i].Rows(first, part.RowCount);
            (arguments.X, arguments.Rows, arguments.Prepared) = (part, part.RowCount, scratch.Address + pass * prepared);
            var tiles = Fill(ref arguments, weights, results);
            arguments.Batch = kernel.Chunks > 1 ? tilesOfTeam : kernel.Batch(part.RowCount, columns, SharedBytes);
            var shared = kernel.SharedBytes(part.RowCount, columns, arguments.Batch, SharedBytes);
            var blocks = Math.Clamp(
                context.SharedBytesOfMultiprocessor / kernel.BlockBytes(shared, SharedBytes), 1, kernel.Blocks(SharedBytes));
            var grid = Math.Min(tiles, context.Multiprocessors * blocks);
            context.Launch(
                Module, kernel.Function, new(grid), teams * FewKernel.Threads, arguments,
                Math.Max(shared, Math.Min(EvenSharedBytes(kernel, grid), SharedBytes)));
        }
    }

    private int Passes(in FewKernel kernel, Tensor x)
    {
        var most = kernel.MostRowsOfPass(x.ColumnCount, SharedBytes);
        return (x.RowCount + most - 1) / most;
    }

    private int EvenSharedBytes(in FewKernel kernel, int grid) => kernel.EvenSharedBytes(
        (grid + context.Multiprocessors - 1) / context.Multiprocessors, context.SharedBytesOfMultiprocessor, SharedBytes);

    private static int Fill(ref LinearArguments arguments, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        var isGated = arguments.Mode == (int)LinearMode.Gated;
        arguments.Tiles = 0;
        for (var i = 0; i < LinearParts.Count; i++)
        {
            if (i < weights.Length)
            {
                var (weight, y) = ((CudaWeight)weights[i], ys[isGated ? 0 : i]);
                arguments.Tiles += (y.ColumnCount + Outputs - 1) / Outputs;
                arguments.Parts[i] = new() { Weight = weight.Rows, Y = y, Bias = weight.Bias, Outputs = y.ColumnCount };
            }
            arguments.Parts[i].EndTile = arguments.Tiles;
        }
        // Of a gated product a tile has eight outputs of both weights.
        if (isGated) arguments.Tiles = (ys[0].ColumnCount + Outputs / 2 - 1) / (Outputs / 2);
        return arguments.Tiles;
    }
}
