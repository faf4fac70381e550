namespace KvPareto.Cuda;

/// <summary>How the scratch of dense products with a weight is divided. From the weight's shape alone, so that memory can be
/// predicted.</summary>
/// <param name="Workspace">cuBLASLt's.</param>
/// <param name="Strip">Rows of a weight that is not bf16, unpacked.</param>
/// <param name="Inputs">f32 inputs as bf16.</param>
/// <param name="Row">One row of these.</param>
internal readonly record struct ProductLayout(long Workspace, long Strip, long Inputs, long Row)
{
    /// <summary>Outputs of a strip are a multiple of this: whole tiles of the product, and outputs that stay aligned.</summary>
    public const int StripRows = 64;

    private const long MostWorkspaceBytes = 16 << 20;
    private const long MostStripBytes = 48 << 20;
    private const long MostInputBytes = 8 << 20;
    private const int InputRows = 256;
    private const int WorkspaceFactor = 4;
    private const int Alignment = 256;

    /// <summary>Of all.</summary>
    public long ByteCount => Workspace + Strip + Inputs;

    /// <summary>What products cannot do without: fewer rows at a time take longer, as the library does without a workspace, whose
    /// products of unpacked strips are small.</summary>
    public long LeastByteCount => LeastWorkspace + LeastStrip + Aligned(Row);

    private long LeastWorkspace => Strip > 0 ? Workspace : 0;

    private long LeastStrip => Math.Min(Strip, Aligned(StripRows * Row));

    /// <summary>For products with a weight [N, K] that is stored so. A vector takes part in none.</summary>
    public static ProductLayout Of(CudaWeight.StoredKind stored, int outputs, int inputs)
    {
        if (outputs == 1) return default;
        var row = (long)inputs * sizeof(ushort);
        var strip = stored == CudaWeight.StoredKind.BF16 ? 0
            : Math.Min(Math.Max(MostStripBytes / row / StripRows, 1), ((long)outputs + StripRows - 1) / StripRows) * StripRows * row;
        return new(Aligned(Math.Min(MostWorkspaceBytes, WorkspaceFactor * outputs * row)), Aligned(strip),
            Aligned(Math.Max(row, Math.Min(MostInputBytes, InputRows * row))), row);
    }

    /// <summary>The same in so many bytes, at least <see cref="LeastByteCount"/>.</summary>
    public ProductLayout Within(long bytes)
    {
        var over = Aligned(Math.Max(ByteCount - bytes, 0));
        var strip = Math.Max(Strip - over, LeastStrip);
        over -= Strip - strip;
        var inputs = Math.Max(Inputs - over, Aligned(Row));
        over -= Inputs - inputs;
        return this with { Workspace = Workspace - over, Strip = strip, Inputs = inputs };
    }

    private static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}
