using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Model;

/// <summary>
/// The tensors that flow between ops, for steps of up to a fixed number of tokens T. Query, key and value share their memory with
/// gate and up, which are never live at the same time.
/// </summary>
public sealed class TransformerActivations : IDisposable
{
    private readonly ModelConfig _config;
    private readonly Tensor _x;
    private readonly Tensor _h;
    private readonly Tensor _wide;

    /// <summary>Allocates for <paramref name="maxTokens"/> tokens a step.</summary>
    public TransformerActivations(Backend backend, ModelConfig config, int maxTokens)
    {
        _config = config;
        var (x, h, wide) = Shapes(config, backend.ActivationType);
        _x = backend.Alloc(x.Type, maxTokens, x.Columns);
        _h = backend.Alloc(h.Type, maxTokens, h.Columns);
        _wide = backend.Alloc(wide.Type, maxTokens, wide.Columns);
    }

    /// <summary>Bytes that steps of up to <paramref name="maxTokens"/> tokens take.</summary>
    public static long PredictByteCount(MemoryLayout layout, ModelConfig config, int maxTokens)
    {
        var (x, h, wide) = Shapes(config, layout.ActivationType);
        return layout.TensorBytes(x.Type, maxTokens, x.Columns) + layout.TensorBytes(h.Type, maxTokens, h.Columns)
            + layout.TensorBytes(wide.Type, maxTokens, wide.Columns);
    }

    /// <summary>The tensors of a step of <paramref name="tokens"/> tokens.</summary>
    public Buffers For(int tokens) => new(_config, _x.Rows(0, tokens), _h.Rows(0, tokens), _wide.Rows(0, tokens));

    /// <inheritdoc/>
    public void Dispose()
    {
        _x.Buffer.Dispose();
        _h.Buffer.Dispose();
        _wide.Buffer.Dispose();
    }

    // A token's rows: the residual stream, a block's input or output, and what holds either q, k, v or gate, up.
    private static ((DType Type, int Columns) X, (DType Type, int Columns) H, (DType Type, int Columns) Wide) Shapes(
        ModelConfig c, DType type) =>
        ((DType.F32, c.HiddenSize), (type, c.HiddenSize),
            (type, Math.Max((c.QueryHeads + 2 * c.KvHeads) * c.HeadDim, 2 * c.FeedForwardSize)));

    /// <summary>Views for one step.</summary>
    public readonly struct Buffers
    {
        internal Buffers(ModelConfig c, Tensor x, Tensor h, Tensor wide)
        {
            var (queries, keys) = (c.QueryHeads * c.HeadDim, c.KvHeads * c.HeadDim);
            (X, H) = (x, h);
            (Q, K, V) = (wide.Columns(0, queries), wide.Columns(queries, keys), wide.Columns(queries + keys, keys));
            (Gate, Up) = (wide.Columns(0, c.FeedForwardSize), wide.Columns(c.FeedForwardSize, c.FeedForwardSize));
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

        /// <summary>[T, F].</summary>
        public Tensor Up { get; }
    }
}
