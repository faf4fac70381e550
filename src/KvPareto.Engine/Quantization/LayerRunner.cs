using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Quantization;

/// <summary>Runs one decoder layer, or a block of it with other weights, over host rows; the cache holds f32.</summary>
internal sealed class LayerRunner : IDisposable
{
    private readonly Backend _backend;
    private readonly DecoderLayer _decoder;
    private readonly TransformerActivations _activations;
    private readonly KvCache _cache;
    private readonly Workspace _workspace;
    private readonly int[] _positions;
    private readonly float _embeddingScale;

    /// <summary>A runner of layer <paramref name="layer"/> for sequences of up to <paramref name="maxTokens"/>.</summary>
    public LayerRunner(Backend backend, ModelConfig config, int layer, int maxTokens)
    {
        (_backend, MaxTokens) = (backend, maxTokens);
        _decoder = new(backend, config, config.Rope.For(maxTokens));
        _embeddingScale = config.EmbeddingScale;
        _positions = [.. Enumerable.Range(0, maxTokens)];
        var geometry = config.Geometry with { LayerWindows = [config.LayerWindows[layer]] };
        _activations = new(backend, config, maxTokens);
        _cache = backend.CreateCache(geometry, new KvSpec { Keys = new(32), Values = new(32) }, maxTokens);
        _workspace = backend.CreateWorkspace(new WorkspaceShape(maxTokens, maxTokens, geometry, AttentionKernel.Flash));
    }

    /// <summary>Longest sequence.</summary>
    public int MaxTokens { get; }

    /// <summary>The embedded tokens [T, H].</summary>
    public float[] Embed(Weight embedding, int[] ids)
    {
        var b = _activations.For(ids.Length);
        _backend.Embed(Begin(ids), embedding, b.X, _embeddingScale);
        return Read(b.X);
    }

    /// <summary>Runs the whole layer over <paramref name="hidden"/> [T, H] in place, and shows the inputs of its linear layers.</summary>
    public void Run(LayerWeights weights, float[] hidden, int tokens, Action<LayerPoint, float[]> probe)
    {
        var b = _activations.For(tokens);
        _backend.Write(hidden, b.X);
        _decoder.Run(weights, Begin(new int[tokens]), 0, b, (point, x) => probe(point, Read(x)));
        _backend.Read(b.X, hidden);
    }

    /// <summary>Output [T, H] of the attention block on its normalised input [T, H] of one sequence.</summary>
    public float[] Attention(LayerWeights weights, float[] input)
    {
        var b = _activations.For(input.Length / _activations.For(1).H.ColumnCount);
        _backend.Write(input, b.H);
        _decoder.Attention(weights, Begin(new int[b.H.RowCount]), 0, b);
        return Read(b.H);
    }

    /// <summary>Output [R, H] of the feed-forward block on its normalised input [R, H].</summary>
    public float[] FeedForward(LayerWeights weights, float[] input) => InPieces(input, b => b.H, b => _decoder.FeedForward(weights, b));

    /// <summary>Output [R, H] of o on its input [R, Nq·D].</summary>
    public float[] Output(Weight output, float[] input) => InPieces(input, b => b.Q, b => _backend.Linear(b.Q, output, b.H));

    /// <summary>Output [R, H] of down on its input [R, F].</summary>
    public float[] Down(Weight down, float[] input) => InPieces(input, b => b.Gate, b => _backend.Linear(b.Gate, down, b.H));

    public void Dispose()
    {
        _activations.Dispose();
        _cache.Dispose();
        _workspace.Dispose();
    }

    private float[] InPieces(float[] input, Func<TransformerActivations.Buffers, Tensor> place, Action<TransformerActivations.Buffers> run)
    {
        var width = place(_activations.For(1)).ColumnCount;
        var rows = input.Length / width;
        var outputWidth = _activations.For(1).H.ColumnCount;
        var output = new float[rows * outputWidth];
        for (var first = 0; first < rows; first += MaxTokens)
        {
            var b = _activations.For(Math.Min(MaxTokens, rows - first));
            _backend.Write(input.AsSpan(first * width), place(b));
            run(b);
            _backend.Read(b.H, output.AsSpan(first * outputWidth));
        }
        return output;
    }

    private Step Begin(int[] ids)
    {
        _cache.Reset();
        return _backend.Begin(_workspace, ids, _positions.AsSpan(0, ids.Length), _cache);
    }

    private float[] Read(Tensor x)
    {
        var values = new float[x.RowCount * x.ColumnCount];
        _backend.Read(x, values);
        return values;
    }
}
