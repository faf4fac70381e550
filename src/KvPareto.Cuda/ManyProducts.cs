using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>Products of many rows without a stop in scratch, on devices of compute capability 9.0.</summary>
internal sealed class ManyProducts(CudaContext context)
{
    private const int StaticSharedBytes = 1280; // of the kernel
    private const double LeastUse = 2.0 / 3;   // of the clusters, or tiles are made narrower

    private readonly Dictionary<ManyKernel, (KernelModule Module, int Clusters)> _variants = [];

    private int SharedBytes => context.SharedBytes - StaticSharedBytes;

    /// <summary>Begins to compile what a weight will want.</summary>
    public void Prepare(CudaWeight weight)
    {
        if (!context.HasWarpGroups || ManyKernel.Of(weight, int.MaxValue) is not { } kernel) return;
        context.Prepare(ManyKernel.File, kernel.Options(SharedBytes));
        if (LeavesIdle(Tiles(weight, false), weight.ColumnCount, context.Multiprocessors / ManyKernel.Cluster))
            context.Prepare(ManyKernel.File, kernel.Narrow.Options(SharedBytes));
    }

    /// <summary>Whether one launch multiplies a gated pair, whatever its rows.</summary>
    public static bool TakesPair(CudaWeight gate, CudaWeight up) =>
        ManyKernel.Of(gate, int.MaxValue) is { } kernel && ManyKernel.Of(up, int.MaxValue) == kernel && gate.Rows.Group == up.Rows.Group;

    /// <summary>How many of the weights, from the first on, one launch multiplies.</summary>
    /// <param name="x">Inputs, bf16.</param>
    /// <param name="rows">T.</param>
    /// <param name="weights">Weights of one width.</param>
    /// <param name="ys">Results; one alone where they are gated.</param>
    /// <param name="mode">What becomes of sums.</param>
    public int Count(Matrix x, int rows, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys, LinearMode mode)
    {
        if (!context.HasWarpGroups || !IsAligned(x.Data, x.Stride * sizeof(ushort), 16)) return 0;
        if (ManyKernel.Of((CudaWeight)weights[0], rows) is not { } kernel) return 0;
        var group = ((CudaWeight)weights[0]).Rows.Group;
        var count = 0;
        while (count < Math.Min(weights.Length, ManyParts.Count))
        {
            var (weight, y) = ((CudaWeight)weights[count], ys[mode == LinearMode.Gated ? 0 : count]);
            var pair = 2 * y.Type.ByteSize();
            if (ManyKernel.Of(weight, rows) != kernel || weight.Rows.Group != group || y.Type == DType.F16
                || !IsAligned(y.Address, y.RowStride * y.Type.ByteSize(), pair)) break;
            count++;
        }
        return mode == LinearMode.Gated && count < 2 ? 0 : count;
    }

    /// <summary>Multiplies so many rows with weights that <see cref="Count"/> has counted.</summary>
    /// <param name="x">Inputs, bf16.</param>
    /// <param name="rows">T.</param>
    /// <param name="weights">Weights.</param>
    /// <param name="ys">Results.</param>
    /// <param name="mode">What becomes of sums.</param>
    /// <param name="scratch">Device memory for parts of tiles.</param>
    /// <param name="norm">That of the inputs, or the one that comes next.</param>
    public void Multiply(
        Matrix x, int rows, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys, LinearMode mode, (nint Address, long Bytes) scratch,
        in ManyNorm norm = default)
    {
        var first = (CudaWeight)weights[0];
        var isGated = mode == LinearMode.Gated;
        var kernel = Choose(ManyKernel.Of(first, rows)!.Value, rows, weights, isGated);
        var a = new ManyArguments
        {
            Inputs = TensorMap.OfInputs(x, rows, first.ColumnCount, kernel.Tokens / ManyKernel.Cluster),
            Partials = scratch.Address,
            Rows = rows,
            Columns = first.ColumnCount,
            GroupUnits = kernel.Group == 0 ? 1 : first.Rows.Group / kernel.Group,
            LastGroup = first.Rows.Group == 0 ? 0 : (first.ColumnCount - 1) / first.Rows.Group,
            Mode = (int)mode,
            TokenTiles = (rows + kernel.Tokens - 1) / kernel.Tokens,
            Gain = norm.Gain,
            Squares = norm.Squares,
            Normed = norm.Normed,
            Epsilon = norm.Epsilon,
            IsNormed = norm.Gain == 0 && norm.Squares != 0 ? 1 : 0,
        };
        var tiles = 0;
        for (var i = 0; i < ManyParts.Count; i++)
        {
            if (i < (isGated ? 1 : weights.Length))
            {
                var (one, other) = ((CudaWeight)weights[i], (CudaWeight)weights[isGated ? 1 : i]);
                // The copy engine goes through a pair from the lower address on.
                if (isGated && other.Data < one.Data) (one, other, a.GateHalf) = (other, one, 1);
                a.Parts[i] = new()
                {
                    Weight = TensorMap.OfWeights(one, other, kernel),
                    FirstGroups = one.Rows.Groups,
                    SecondGroups = other.Rows.Groups,
                    FirstBias = one.Bias,
                    SecondBias = other.Bias,
                    Y = ys[i],
                    Outputs = one.RowCount,
                };
                tiles += Tiles(one, isGated);
            }
            a.Parts[i].EndTile = tiles;
        }
        var (module, clusters) = Variant(kernel);
        var shares = ManyShares.Of(
            kernel, tiles * a.TokenTiles, first.ColumnCount, clusters, Parts(kernel, scratch.Bytes), norm.Gain != 0);
        (a.Steps, a.Shares, a.Begins) = (shares.Steps, shares.Each, shares.Begins());
        context.Launch(
            module, ManyKernel.Function, new(ManyKernel.Cluster * shares.Clusters), ManyKernel.Threads, a, kernel.SharedBytes(SharedBytes));
    }

    /// <summary>sum += x·wᵀ + b, and prepares a norm; false where that is not done, which is where tiles are not cut into shares.</summary>
    /// <param name="x">Inputs.</param>
    /// <param name="weight">Weight.</param>
    /// <param name="sum">[T, N].</param>
    /// <param name="norm">The norm that comes next.</param>
    /// <param name="scratch">Device memory for parts of tiles.</param>
    public bool TryAddAndPrepare(Tensor x, CudaWeight weight, Tensor sum, in ManyNorm norm, (nint Address, long Bytes) scratch)
    {
        if (!norm.Fits || Count(x, x.RowCount, [weight], [sum], LinearMode.Add) == 0) return false;
        var kernel = Choose(ManyKernel.Of(weight, x.RowCount)!.Value, x.RowCount, [weight], false);
        var tiles = Tiles(weight, false) * ((x.RowCount + kernel.Tokens - 1) / kernel.Tokens);
        var shares = ManyShares.Of(kernel, tiles, x.ColumnCount, Variant(kernel).Clusters, Parts(kernel, scratch.Bytes), true);
        if (shares.Each <= 1) return false;
        Multiply(x, x.RowCount, [weight], [sum], LinearMode.Add, scratch, norm);
        return true;
    }

    private static int Parts(in ManyKernel kernel, long bytes) => (int)Math.Min(ManyShares.MostClusters, bytes / kernel.PartBytes);

    private static int Tiles(CudaWeight weight, bool isGated)
    {
        var outputs = ManyKernel.Cluster * ManyKernel.BlockRows / (isGated ? 2 : 1);
        return (weight.RowCount + outputs - 1) / outputs;
    }

    // Tiles of fewer rows, where those of many leave too much of the device idle.
    private ManyKernel Choose(in ManyKernel kernel, int rows, ReadOnlySpan<Weight> weights, bool isGated)
    {
        var tiles = 0;
        foreach (var weight in weights[..(isGated ? 1 : weights.Length)]) tiles += Tiles((CudaWeight)weight, isGated);
        tiles *= (rows + kernel.Tokens - 1) / kernel.Tokens;
        return LeavesIdle(tiles, weights[0].ColumnCount, Variant(kernel).Clusters) ? kernel.Narrow : kernel;
    }

    private static bool LeavesIdle(int tiles, int columns, int clusters) =>
        tiles * Math.Max(1, ManyShares.Most(tiles, columns, clusters)) < LeastUse * clusters;

    private (KernelModule Module, int Clusters) Variant(in ManyKernel kernel)
    {
        if (_variants.TryGetValue(kernel, out var known)) return known;
        var module = context.Module(ManyKernel.File, kernel.Options(SharedBytes));
        return _variants[kernel] = (module, context.ResidentClusters(
            module, ManyKernel.Function, ManyKernel.Cluster, ManyKernel.Threads, kernel.SharedBytes(SharedBytes)));
    }

    private static bool IsAligned(nint address, long rowBytes, int bytes) => address % bytes == 0 && rowBytes % bytes == 0;
}
