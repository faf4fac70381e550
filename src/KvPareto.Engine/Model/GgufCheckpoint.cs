using KvPareto.Engine.Formats;
using KvPareto.Engine.Formats.Gguf;
using KvPareto.Engine.Text;

namespace KvPareto.Engine.Model;

/// <summary>
/// A GGUF file of architecture llama (Llama, Mistral, SmolLM2), qwen2 or qwen3 under Hugging Face's names. Weights stay the blocks
/// they are. Rows of q and k that ggml's converter reordered (architecture llama) go back when they are copied
/// (<see cref="HostTensor.CopyTo"/>).
/// </summary>
public sealed class GgufCheckpoint : Checkpoint
{
    /// <summary>What the names of such files end with.</summary>
    public const string Extension = ".gguf";

    private const string ChatTemplateKey = "tokenizer.chat_template";

    private readonly GgufFile _file;
    private readonly Dictionary<string, HostTensor> _tensors = new(StringComparer.Ordinal);

    private GgufCheckpoint(string path, GgufFile file)
    {
        (Source, _file) = (path, file);
        Config = GgufConfigReader.Read(file);
        foreach (var (name, tensor) in file.Tensors)
            if (GgufTensorNames.ToHuggingFace(name) is { } known && !_tensors.TryAdd(known, Named(tensor, known)))
                throw new ConfigException($"{path}: tensor '{OneLine.Of(name)}' is another one's twin");
    }

    /// <inheritdoc/>
    public override ModelConfig Config { get; }

    /// <inheritdoc/>
    public override string Source { get; }

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>The Jinja source of the chat template; null where the file has none.</summary>
    /// <exception cref="ConfigException">It is not a string.</exception>
    public string? ChatTemplateSource => _file.Metadata.Text(ChatTemplateKey);

    /// <summary>Opens a file.</summary>
    /// <exception cref="ConfigException">It is missing, damaged, or of an architecture that is not known.</exception>
    public static GgufCheckpoint Open(string path)
    {
        var file = GgufFile.Open(path);
        try
        {
            return new(path, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Makes the file's tokenizer.</summary>
    /// <exception cref="ConfigException">The file has none, or one of a kind that is not known.</exception>
    public Tokenizer LoadTokenizer() => GgufTokenizer.Read(_file.Metadata);

    /// <inheritdoc/>
    public override bool Contains(string name) => _tensors.ContainsKey(name);

    /// <inheritdoc/>
    public override HostTensor Get(string name) => _tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw new ConfigException($"{Source}: tensor '{OneLine.Of(name)}' is missing");

    /// <inheritdoc/>
    public override void Dispose() => _file.Dispose();

    private HostTensor Named(HostTensor tensor, string name)
    {
        if (Config.Family != "llama" || !GgufTensorNames.IsRotary(name)) return tensor.As(name, 0);
        return tensor.Shape[0] % Config.HeadDim == 0
            ? tensor.As(name, Config.HeadDim)
            : throw new ConfigException($"{Source}: tensor '{name}' has {tensor.Shape[0]} rows; allowed: a multiple of the head width {Config.HeadDim}");
    }
}
