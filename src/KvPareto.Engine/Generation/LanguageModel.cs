using System.Collections.Immutable;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Engine.Generation;

/// <summary>A model's weights on a backend, with its tokenizer and chat template.</summary>
public sealed class LanguageModel : IDisposable
{
    private readonly TransformerWeights _weights;
    private readonly ModelSource _source;
    private readonly Tokenizer? _tokenizer;

    private LanguageModel(
        Backend backend, ModelSource source, ModelConfig config, TransformerWeights weights, Tokenizer? tokenizer,
            ChatTemplate? chatTemplate)
    {
        (_source, _weights, _tokenizer, ChatTemplate, LoadPeak) = (source, weights, tokenizer, chatTemplate, backend.Memory.Peaks.Load);
        Transformer = new Transformer(backend, config, weights);
    }

    /// <summary>The forward pass.</summary>
    public Transformer Transformer { get; }

    /// <summary>Architecture.</summary>
    public ModelConfig Config => Transformer.Config;

    /// <summary>False for a model that takes and gives token ids only.</summary>
    public bool HasTokenizer => _tokenizer is not null;

    /// <summary>The model's tokenizer.</summary>
    /// <exception cref="ConfigException">It has none.</exception>
    public Tokenizer Tokenizer => _tokenizer ?? throw _source.WithoutTokenizer();

    /// <summary>The model's chat template, if it has one.</summary>
    public ChatTemplate? ChatTemplate { get; }

    /// <summary>High-water mark while loading, coding and uploading.</summary>
    public MemoryUse LoadPeak { get; }

    /// <summary>Bytes of all weights in backend memory.</summary>
    public long WeightBytes => _weights.ByteCount;

    /// <summary>Loads a model.</summary>
    /// <param name="backend">Where to.</param>
    /// <param name="model">What <see cref="ModelSource.Open"/> takes.</param>
    /// <param name="weights">Weight precision.</param>
    /// <exception cref="ConfigException">A file is missing, damaged or of an unknown kind.</exception>
    public static LanguageModel Load(Backend backend, string model, WeightSpec weights) => Load(backend, ModelSource.Open(model), weights);

    /// <summary>Loads a model.</summary>
    /// <param name="backend">Where to.</param>
    /// <param name="source">Where from.</param>
    /// <param name="weights">Weight precision.</param>
    /// <param name="original">
    /// The model that <paramref name="source"/> is a variant of: its tokenizer, chat template and end tokens count, so that both read and
    /// end alike. Null where it is a model of its own.
    /// </param>
    /// <exception cref="ConfigException">A file is missing, damaged or of an unknown kind.</exception>
    public static LanguageModel Load(Backend backend, ModelSource source, WeightSpec weights, ModelSource? original = null)
    {
        using var checkpoint = source.OpenCheckpoint();
        var tokenizer = (original ?? source).LoadTokenizer();
        var chatTemplate = (original ?? source).LoadChatTemplate();
        var config = original is null ? checkpoint.Config : checkpoint.Config with { EosIds = EosIds(original) };
        backend.Memory.Restart(MemoryPhase.Load);
        backend.Memory.Enter(MemoryPhase.Load);
        var loaded = TransformerWeights.Load(backend, checkpoint, weights.For(checkpoint.Config));
        return new(backend, source, WithEndOfTurn(config, tokenizer), loaded, tokenizer, chatTemplate);
    }

    private static ImmutableArray<int> EosIds(ModelSource source)
    {
        using var checkpoint = source.OpenCheckpoint();
        return checkpoint.Config.EosIds;
    }

    // A tokenizer may have more tokens than the model: a padding token that nobody feeds it, for example.
    private static ModelConfig WithEndOfTurn(ModelConfig config, Tokenizer? tokenizer) => tokenizer is null
        ? config
        : config with { EosIds = [.. config.EosIds.Union(tokenizer.EndOfTurnIds.Where(id => id < config.VocabularySize))] };

    /// <inheritdoc/>
    public void Dispose() => _weights.Dispose();
}
