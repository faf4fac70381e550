using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>A kernel of linear.cu that multiplies few rows straight from a weight as it is stored, and the shared memory that it takes.</summary>
/// <param name="Name">Named by the bits of a weight; of codes, by the columns of a unit; of bf16, <c>wide</c> takes f32 inputs whole.</param>
/// <param name="Bits">Of a weight.</param>
/// <param name="Unit">Columns of a unit, which of codes have one scale.</param>
/// <param name="IsWide">An input is two bf16 numbers.</param>
internal readonly record struct FewKernel(string Name, int Bits, int Unit, bool IsWide)
{
    /// <summary>Most rows that one pass over a weight treats (stream.cuh, MOST_ROWS).</summary>
    public const int MostRows = 8;

    /// <summary>Threads of a block.</summary>
    public const int Threads = 256;

    /// <summary>The kernels' source.</summary>
    public const string File = "linear.cu";

    private const int Warps = Threads / 32;
    private const int Outputs = 16; // of a tile
    private const int ElementStages = 7;
    private const int MostCodeStages = 5;
    private const int FewestCodeStages = 3;
    private const int SmallSharedBytes = 128 << 10;
    private const int BytesOfInput = 3; // of a whole number that stands for an input (linear_codes.cuh)
    private const int FewestRows = 2; // whose bytes are columns of one product
    private const int ColumnsOfProduct = 8;
    private const int ManyProducts = 3;
    private const int BatchTiles = 4;

    /// <summary>Blocks that a multiprocessor should have at a time: loads of more than one get in each other's way, but codes must be worked on.</summary>
    public int Blocks => IsCoded ? 2 : 1;

    private bool IsCoded => Bits < 16;

    /// <summary>The kernel for a weight and inputs that begin at multiples of 16 bytes, if there is one.</summary>
    /// <param name="x">Inputs; f32 or bf16.</param>
    /// <param name="weight">Weight.</param>
    /// <param name="keepsF32">bf16 weights take f32 inputs whole, not as bf16.</param>
    public static FewKernel? Of(Tensor x, CudaWeight weight, bool keepsF32)
    {
        var isAligned = x.Address % 16 == 0 && (x.RowStride * x.Type.ByteSize() % 16 == 0 || x.RowCount == 1) && x.ColumnCount % 32 == 0;
        if (!isAligned || x.Type == DType.F16) return null;
        return (weight.Stored, weight.Rows.Group) switch
        {
            (CudaWeight.StoredKind.BF16, _) => keepsF32 ? new("linear_16_wide", 16, 32, true) : new("linear_16", 16, 32, false),
            (CudaWeight.StoredKind.W8, var g) when g % 64 == 0 => new("linear_8_64", 8, 64, false),
            (CudaWeight.StoredKind.W8, var g) when g % 32 == 0 => new("linear_8_32", 8, 32, false),
            (CudaWeight.StoredKind.W4, var g) when g % 128 == 0 => new("linear_4_128", 4, 128, false),
            (CudaWeight.StoredKind.W4, var g) when g % 64 == 0 => new("linear_4_64", 4, 64, false),
            (CudaWeight.StoredKind.W4, var g) when g % 32 == 0 => new("linear_4_32", 4, 32, false),
            _ => null,
        };
    }

    /// <summary>The function for so many rows.</summary>
    public string Function(int rows) => IsCoded && rows > FewestRows ? Name + "_many" : Name;

    /// <summary>Dynamic shared memory for so many rows of K columns (linear.cu, multiply_few).</summary>
    /// <param name="rows">T.</param>
    /// <param name="columns">K.</param>
    /// <param name="batch">Tiles whose parts are put together at a time.</param>
    /// <param name="device">Shared memory of a block, at the most.</param>
    public int SharedBytes(int rows, int columns, int batch, int device)
    {
        var words = Unit * Bits / 128;
        var stage = 2 * words * sizeof(uint) * Threads;
        var partColumns = IsCoded ? rows * BytesOfInput : rows;
        var sums = 2 * batch * Warps * partColumns * Outputs * sizeof(float);
        if (!IsCoded) return ElementStages * stage + sums + (IsWide ? 2 : 1) * rows * (2 * columns + (columns % 64 == 0 ? 64 : 0));
        var products = rows > FewestRows ? ManyProducts : 1;
        var spans = columns / Unit * products * ColumnsOfProduct * 2 * sizeof(float);
        var row = (columns + 127) / 128 * 128 + (Bits == 4 && words == 4 ? 16 : 64);
        return CodeStages(device) * (stage + 2 * sizeof(uint) * Threads) + sums + spans + rows * BytesOfInput * row;
    }

    /// <summary>The compiler's options: stages that weights are fetched ahead in.</summary>
    public static string[] Options(int device) => [$"-DELEMENT_STAGES={ElementStages}", $"-DCODE_STAGES={CodeStages(device)}"];

    /// <summary>Tiles of a batch: fewer where there are many rows, or little shared memory.</summary>
    public int Batch(int rows, int columns, int device) =>
        (!IsCoded || rows <= FewestRows) && SharedBytes(rows, columns, BatchTiles, device) <= device ? BatchTiles : 1;

    private static int CodeStages(int device) => device < SmallSharedBytes ? FewestCodeStages : MostCodeStages;
}

/// <summary>What becomes of a product's sums (stream.cuh, LinearMode).</summary>
internal enum LinearMode
{
    /// <summary>They are stored.</summary>
    Store,

    /// <summary>They are added to what is there.</summary>
    Add,

    /// <summary>silu(first)·second is stored as the first.</summary>
    Gated,
}

/// <summary>Products of up to <see cref="FewKernel.MostRows"/> rows.</summary>
internal sealed class FewProducts(CudaContext context)
{
    private const int Outputs = 16; // of a tile (stream.cuh, OUTPUTS)
    private const int StaticSharedBytes = 256; // of a kernel
    private const int ReservedBytes = 1024; // of a block, by the driver
    private const string AnyKernel = "linear_any";

    private readonly string[] _options = FewKernel.Options(context.SharedBytes - StaticSharedBytes);

    private int SharedBytes => context.SharedBytes - StaticSharedBytes;

    private KernelModule Module => context.Module(FewKernel.File, _options);

    /// <summary>Multiplies one input, normalised first where there is a gain, with weights of one width; false where no kernel does all of it.</summary>
    /// <param name="x">Input.</param>
    /// <param name="norm">Gain [K] f32 or 0, and epsilon.</param>
    /// <param name="keepsF32">f32 inputs, or f32 results of the norm, are not rounded to bf16.</param>
    /// <param name="weights">Weights.</param>
    /// <param name="ys">Results; one alone where they are gated.</param>
    /// <param name="mode">What becomes of sums.</param>
    public bool TryMultiply(Tensor x, (nint Gain, float Epsilon) norm, bool keepsF32, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys, LinearMode mode)
    {
        if (x.RowCount > FewKernel.MostRows) return false;
        foreach (var weight in weights)
        {
            var first = (CudaWeight)weights[0];
            if (Fitting(x, (CudaWeight)weight, keepsF32) is not { } kernel) return false;
            if (mode == LinearMode.Gated && (kernel != Fitting(x, first, keepsF32) || ((CudaWeight)weight).Rows.Group != first.Rows.Group)) return false;
        }
        var arguments = new LinearArguments { Gain = norm.Gain, Epsilon = norm.Epsilon, Mode = (int)mode };
        for (var at = 0; at < weights.Length;)
        {
            var kernel = Fitting(x, (CudaWeight)weights[at], keepsF32)!.Value;
            var count = 1;
            while (count < LinearParts.Count && at + count < weights.Length && Fitting(x, (CudaWeight)weights[at + count], keepsF32) == kernel) count++;
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
    private FewKernel? Fitting(Tensor x, CudaWeight weight, bool keepsF32) =>
        FewKernel.Of(x, weight, keepsF32) is { } kernel && MostRows(kernel, weight.ColumnCount) > 0 ? kernel : null;

    private int MostRows(in FewKernel kernel, int columns)
    {
        var rows = FewKernel.MostRows;
        while (rows > 0 && kernel.SharedBytes(rows, columns, 1, SharedBytes) > SharedBytes) rows--;
        return rows;
    }

    // In as few passes over the weights as shared memory allows, of about the same number of rows.
    private void Launch(in FewKernel kernel, LinearArguments arguments, Tensor x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        var most = MostRows(kernel, x.ColumnCount);
        var passes = (x.RowCount + most - 1) / most;
        var rows = (x.RowCount + passes - 1) / passes;
        for (var first = 0; first < x.RowCount; first += rows)
        {
            var part = x.Rows(first, Math.Min(rows, x.RowCount - first));
            var results = new Tensor[ys.Length];
            for (var i = 0; i < ys.Length; i++) results[i] = ys[i].Rows(first, part.RowCount);
            (arguments.X, arguments.Rows) = (part, part.RowCount);
            var tiles = Fill(ref arguments, weights, results);
            arguments.Batch = kernel.Batch(part.RowCount, x.ColumnCount, SharedBytes);
            var shared = kernel.SharedBytes(part.RowCount, x.ColumnCount, arguments.Batch, SharedBytes);
            var blocks = Math.Clamp(context.SharedBytesOfMultiprocessor / (shared + StaticSharedBytes + ReservedBytes), 1, kernel.Blocks);
            context.Launch(Module, kernel.Function(part.RowCount), new(Math.Min(tiles, context.Multiprocessors * blocks)), FewKernel.Threads, arguments, shared);
        }
    }

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
