using KvPareto.Engine.Model;
using KvPareto.Engine.Text;

namespace KvPareto.Engine.Generation;

/// <summary>A model's weights on a backend, with its tokenizer and chat template.</summary>
public sealed class LanguageModel : IDisposable
{
    private readonly TransformerWeights _weights;

    private LanguageModel(Backend backend, ModelConfig config, TransformerWeights weights, Tokenizer tokenizer, ChatTemplate? chatTemplate, MemoryUse loadPeak)
    {
        (_weights, Tokenizer, ChatTemplate, LoadPeak) = (weights, tokenizer, chatTemplate, loadPeak);
        Transformer = new Transformer(backend, config, weights);
    }

    /// <summary>The forward pass.</summary>
    public Transformer Transformer { get; }

    /// <summary>Architecture.</summary>
    public ModelConfig Config => Transformer.Config;

    /// <summary>Tokenizer of the folder.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>Chat template of the folder, if it has one.</summary>
    public ChatTemplate? ChatTemplate { get; }

    /// <summary>High-water mark while loading, coding and uploading.</summary>
    public MemoryUse LoadPeak { get; }

    /// <summary>Bytes of all weights in backend memory.</summary>
    public long WeightBytes => _weights.ByteCount;

    /// <summary>Loads a Hugging Face folder: <c>config.json</c>, <c>model.safetensors</c> (or shards), <c>tokenizer.json</c>.</summary>
    /// <exception cref="ConfigException">A file is missing, damaged or of an unknown kind, or tokenizer and model do not fit each other.</exception>
    public static LanguageModel Load(Backend backend, string folder, WeightSpec weights)
    {
        using var checkpoint = SafeTensorsCheckpoint.Open(folder);
        var tokenizer = Tokenizer.Load(folder);
        if (tokenizer.VocabularySize > checkpoint.Config.VocabularySize)
        {
            throw new ConfigException(
                $"{Path.Combine(folder, "tokenizer.json")}: has ids up to {tokenizer.VocabularySize - 1}, but config.json says vocab_size {checkpoint.Config.VocabularySize}; allowed: ids below vocab_size");
        }
        var chatTemplate = ChatTemplate.Load(folder);
        backend.Memory.Restart(MemoryPhase.Load);
        backend.Memory.Enter(MemoryPhase.Load);
        var loaded = TransformerWeights.Load(backend, checkpoint, weights);
        return new(backend, checkpoint.Config, loaded, tokenizer, chatTemplate, backend.Memory.Peaks.Load);
    }

    /// <inheritdoc/>
    public void Dispose() => _weights.Dispose();
}
