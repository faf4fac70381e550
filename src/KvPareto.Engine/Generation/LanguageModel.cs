using KvPareto.Engine.Model;
using KvPareto.Engine.Text;

namespace KvPareto.Engine.Generation;

/// <summary>A model's weights on a backend, with its tokenizer and chat template.</summary>
public sealed class LanguageModel : IDisposable
{
    /// <summary>Loads a Hugging Face folder: <c>config.json</c>, <c>model.safetensors</c> (or shards), <c>tokenizer.json</c>.</summary>
    /// <exception cref="ConfigException">A file is missing, damaged or of an unknown kind.</exception>
    public static LanguageModel Load(Backend backend, string folder, WeightSpec weights) => throw new NotImplementedException();

    /// <summary>Architecture.</summary>
    public ModelConfig Config => throw new NotImplementedException();

    /// <summary>Tokenizer of the folder.</summary>
    public Tokenizer Tokenizer => throw new NotImplementedException();

    /// <summary>Chat template of the folder, if it has one.</summary>
    public ChatTemplate? ChatTemplate => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
