using System.Collections.Immutable;

namespace KvPareto.Engine.Model;

/// <summary>Names and shapes of all weights of an architecture, as Hugging Face names them.</summary>
/// <param name="Embedding">[V, H].</param>
/// <param name="Layers">The decoder layers, first to last.</param>
/// <param name="FinalNorm">[H].</param>
/// <param name="Head">[V, H]; null where it is the embedding.</param>
internal sealed record TransformerShapes(
    WeightShape Embedding, ImmutableArray<LayerShapes> Layers, WeightShape FinalNorm, WeightShape? Head)
{
    /// <summary>All of them, in the order in which they are loaded.</summary>
    public IEnumerable<WeightShape> All =>
        [Embedding, .. Layers.SelectMany(layer => layer.All), FinalNorm, .. Head is null ? [] : new[] { Head }];

    /// <summary>The weights that <paramref name="config"/> asks for.</summary>
    public static TransformerShapes Of(ModelConfig config)
    {
        var (vocabulary, hidden) = (config.VocabularySize, config.HiddenSize);
        return new(
            new("model.embed_tokens.weight", WeightRole.Vocabulary, vocabulary, hidden),
            [.. Enumerable.Range(0, config.LayerCount).Select(index => LayerShapes.Of(config, index))],
            new("model.norm.weight", WeightRole.Norm, 1, hidden),
            config.TiedEmbeddings ? null : new("lm_head.weight", WeightRole.Vocabulary, vocabulary, hidden));
    }
}

/// <summary>The weights of one decoder layer; see <see cref="LayerWeights"/> for their shapes.</summary>
internal sealed record LayerShapes
{
    public required WeightShape InputNorm { get; init; }

    public required WeightShape Query { get; init; }

    public required WeightShape Key { get; init; }

    public required WeightShape Value { get; init; }

    public required WeightShape Output { get; init; }

    public required WeightShape? QueryNorm { get; init; }

    public required WeightShape? KeyNorm { get; init; }

    public required bool IsTurned { get; init; }

    public required WeightShape PostAttentionNorm { get; init; }

    public required WeightShape Gate { get; init; }

    public required WeightShape Up { get; init; }

    public required WeightShape Down { get; init; }

    /// <summary>All of them, in the order in which they are loaded.</summary>
    public IEnumerable<WeightShape> All =>
        new[] { InputNorm, Query, Key, Value, Output, QueryNorm, KeyNorm, PostAttentionNorm, Gate, Up, Down }.OfType<WeightShape>();

    public static LayerShapes Of(ModelConfig config, int index)
    {
        var (hidden, queries) = (config.HiddenSize, config.QueryHeads * config.HeadDim);
        var (keys, forward) = (config.KvHeads * config.HeadDim, config.FeedForwardSize);
        return new()
        {
            InputNorm = Norm("input_layernorm", hidden),
            Query = Projection("self_attn.q_proj", queries, hidden, config.QkvBias),
            Key = Projection("self_attn.k_proj", keys, hidden, config.QkvBias),
            Value = Projection("self_attn.v_proj", keys, hidden, config.QkvBias),
            Output = Projection("self_attn.o_proj", hidden, queries, config.OutputBias),
            QueryNorm = config.QkNorm ? Norm("self_attn.q_norm", config.HeadDim) : null,
            KeyNorm = config.QkNorm ? Norm("self_attn.k_norm", config.HeadDim) : null,
            IsTurned = !config.UnturnedLayers.Contains(index),
            PostAttentionNorm = Norm("post_attention_layernorm", hidden),
            Gate = Projection("mlp.gate_proj", forward, hidden, config.FeedForwardBias),
            Up = Projection("mlp.up_proj", forward, hidden, config.FeedForwardBias),
            Down = Projection("mlp.down_proj", hidden, forward, config.FeedForwardBias),
        };

        WeightShape Norm(string name, int length) => new($"model.layers.{index}.{name}.weight", WeightRole.Norm, 1, length);

        WeightShape Projection(string name, int rows, int columns, bool hasBias) =>
            new($"model.layers.{index}.{name}.weight", WeightRole.Projection, rows, columns, hasBias);
    }
}
