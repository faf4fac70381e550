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
        _x = backend.Alloc(DType.F32, maxTokens, config.HiddenSize);
        _h = backend.Alloc(backend.ActivationType, maxTokens, config.HiddenSize);
        _wide = backend.Alloc(backend.ActivationType, maxTokens, WideColumns(config));
    }

    /// <summary>Elements of a token's row that hold either q, k, v or gate, up.</summary>
    public static int WideColumns(ModelConfig config) =>
        Math.Max((config.QueryHeads + 2 * config.KvHeads) * config.HeadDim, 2 * config.FeedForwardSize);

    /// <summary>The tensors of a step of <paramref name="tokens"/> tokens.</summary>
    public Buffers For(int tokens) => new(_config, _x.Rows(0, tokens), _h.Rows(0, tokens), _wide.Rows(0, tokens));

    /// <inheritdoc/>
    public void Dispose()
    {
        _x.Buffer.Dispose();
        _h.Buffer.Dispose();
        _wide.Buffer.Dispose();
    }

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
