using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Model;

/// <summary>
/// The tensors that flow between ops, for steps of up to a fixed number of tokens T. Query, key and value share their memory with
/// gate and up, which are never live at the same time. Several steps under way together have no up, which their backend leaves alone.
/// </summary>
public sealed class TransformerActivations : IDisposable
{
    private const int Alignment = 256; // bytes

    private readonly ModelConfig _config;
    private readonly int _maxTokens;
    private readonly Tensor _x;
    private readonly Tensor _h;
    private readonly Tensor _wide;
    private readonly Tensor _widest; // of several steps
    private readonly Tensor _descriptions;

    /// <summary>Allocates for <paramref name="maxTokens"/> tokens a step, and for several steps where the backend has room.</summary>
    /// <param name="backend">Where.</param>
    /// <param name="config">Architecture.</param>
    /// <param name="maxTokens">Tokens of a step, at the most.</param>
    /// <param name="most">Steps, at the most; more than one where no op needs up.</param>
    public TransformerActivations(Backend backend, ModelConfig config, int maxTokens, int most = 1)
    {
        (_config, _maxTokens) = (config, maxTokens);
        var (x, h, wide) = Shapes(config, backend.ActivationType);
        var narrow = wide with { Columns = Math.Max(AttentionColumns(config), config.FeedForwardSize) };
        if (backend.Several is { } several && most > 1 && maxTokens >= SeveralSteps.LeastTokens)
        {
            var description = (Type: DType.F32, Columns: DescriptionColumns);
            var stepBytes = Bytes(x, maxTokens) + Bytes(h, maxTokens) + Bytes(narrow, maxTokens) + Bytes(description, 1);
            if (several.Alloc(PredictByteCount(backend.Layout, config, maxTokens), stepBytes, most) is { } memory)
            {
                Steps = (int)(memory.ByteCount / stepBytes);
                var rows = Steps * maxTokens;
                var at = 0L;
                (_x, _h, _widest, _descriptions) = (Next(x, rows), Next(h, rows), Next(narrow, rows), Next(description, Steps));
                _wide = _widest with { RowCount = maxTokens, ColumnCount = wide.Columns, RowStride = wide.Columns };
                return;

                Tensor Next((DType Type, int Columns) row, int count)
                {
                    var next = new Tensor(memory, at, row.Type, count, row.Columns, row.Columns);
                    at += Bytes(row, count);
                    return next;
                }
            }
        }
        try
        {
            _x = backend.Alloc(x.Type, maxTokens, x.Columns);
            _h = backend.Alloc(h.Type, maxTokens, h.Columns);
            _wide = backend.Alloc(wide.Type, maxTokens, wide.Columns);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>How many steps may be under way together.</summary>
    public int Steps { get; } = 1;

    /// <summary>Bytes that steps of up to <paramref name="maxTokens"/> tokens take.</summary>
    public static long PredictByteCount(MemoryLayout layout, ModelConfig config, int maxTokens)
    {
        var (x, h, wide) = Shapes(config, layout.ActivationType);
        return layout.TensorBytes(x.Type, maxTokens, x.Columns) + layout.TensorBytes(h.Type, maxTokens, h.Columns)
            + layout.TensorBytes(wide.Type, maxTokens, wide.Columns);
    }

    /// <summary>The tensors of a step of <paramref name="tokens"/> tokens, or of several that have so many.</summary>
    public Buffers For(int tokens)
    {
        var isOne = tokens <= _maxTokens;
        return new(_config, _x.Rows(0, tokens), _h.Rows(0, tokens), (isOne ? _wide : _widest).Rows(0, tokens), isOne);
    }

    /// <summary>Where a step but the first of several is described (<see cref="SeveralSteps.Beside"/>).</summary>
    public Tensor Description(int step) => _descriptions.Rows(step, 1);

    /// <summary>Where one that stands for all of them is described, in place of theirs.</summary>
    public Tensor DescriptionOfAll => _descriptions;

    private int DescriptionColumns => (int)Aligned(Workspace.DescriptionInts(_maxTokens, 1));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in new[] { _x.Buffer, _h.Buffer, _wide.Buffer }.Distinct()) buffer?.Dispose();
    }

    // A token's rows: the residual stream, a block's input or output, and what holds either q, k, v or gate, up.
    private static ((DType Type, int Columns) X, (DType Type, int Columns) H, (DType Type, int Columns) Wide) Shapes(
        ModelConfig c, DType type) =>
        ((DType.F32, c.HiddenSize), (type, c.HiddenSize),
            (type, Math.Max(AttentionColumns(c), 2 * c.FeedForwardSize)));

    private static int AttentionColumns(ModelConfig c) => (c.QueryHeads + 2 * c.KvHeads) * c.HeadDim;

    private static long Bytes((DType Type, int Columns) row, int count) => Aligned((long)count * row.Columns * row.Type.ByteSize());

    private static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    /// <summary>Views for one step.</summary>
    public readonly struct Buffers
    {
        internal Buffers(ModelConfig c, Tensor x, Tensor h, Tensor wide, bool hasUp)
        {
            var (queries, keys) = (c.QueryHeads * c.HeadDim, c.KvHeads * c.HeadDim);
            (X, H) = (x, h);
            (Q, K, V) = (wide.Columns(0, queries), wide.Columns(queries, keys), wide.Columns(queries + keys, keys));
            Gate = wide.Columns(0, c.FeedForwardSize);
            Up = hasUp ? wide.Columns(c.FeedForwardSize, c.FeedForwardSize) : Gate with { Buffer = Nowhere.Instance };
        }

        /// <summary>Residual stream [T, H], f32.</summary>
        public Tensor X { get; }

        /// <summary>Normalised input, or a block's output, [T, H].</summary>
        public Tensor H { get; }

        /// <summary>[T, Nq·D]; attention's output takes its place.</summary>
        public Tensor Q { get; }

        /// <summary>[T, Nkv·D].</summary>
        public Tensor K { get; }

        /// <summary>[T, Nkv·D].</summary>
        public Tensor V { get; }

        /// <summary>[T, F].</summary>
        public Tensor Gate { get; }

        /// <summary>[T, F]; of several steps it is nowhere.</summary>
        public Tensor Up { get; }
    }

    /// <summary>No memory: a backend that touches it after all fails.</summary>
    private sealed class Nowhere : DeviceBuffer
    {
        public static readonly Nowhere Instance = new();

        public override void Dispose() { }
    }
}
