using KvPareto.Engine.Model;
using KvPareto.Engine.Model.Families;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;
using KvPareto.Text.Tokenizers;
using KvPareto.Text.Tokenizers.Json;

namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>
/// A GGUF file under Hugging Face's names. Weights stay the blocks they are. Rows of q and k that ggml's converter reordered (it turns
/// neighbouring pairs of a head, in most families) are copied back into order when they are asked for.
/// </summary>
public sealed unsafe class GgufCheckpoint : Checkpoint
{
    /// <summary>What the names of such files end with.</summary>
    public const string Extension = ".gguf";

    private readonly GgufFile _file;
    private readonly bool _isReordered;
    private readonly Dictionary<string, HostTensor> _tensors = new(StringComparer.Ordinal);

    private GgufCheckpoint(string path, GgufFile file)
    {
        (Source, _file) = (path, file);
        Config = GgufConfigReader.Read(file);
        var family = FamilyTable.Of(Config.Family);
        _isReordered = family.IsReorderedInGguf;
        foreach (var (name, tensor) in file.Tensors)
        {
            if (GgufTensorNames.ToHuggingFace(name, family) is { } known) Add(known, tensor);
            else if (GgufTensorNames.IsOfALayer(name)) throw SurplusTensors.Unknown(path, Config, name);
        }
        FusedTensors.Split(Config, _tensors);
        SurplusTensors.Refuse(path, Config, _tensors.Keys);
    }

    /// <inheritdoc/>
    public override ModelConfig Config { get; }

    /// <inheritdoc/>
    public override string Source { get; }

    /// <inheritdoc/>
    public override WeightForm Form => GgufFileType.Of(_file);

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Names => _tensors.Keys;

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

    /// <summary>Whether the file says anything of a tokenizer.</summary>
    public bool HasTokenizer => GgufTokenizer.IsIn(_file.Metadata);

    /// <summary>Makes the file's tokenizer.</summary>
    /// <exception cref="ConfigException">The file has none, or one of a kind that is not known.</exception>
    public Tokenizer LoadTokenizer() => GgufTokenizer.Read(_file.Metadata);

    /// <summary>Reads the file's chat template; null where it has none.</summary>
    /// <exception cref="ConfigException">It uses a construct that is not known; the message names line and construct.</exception>
    public ChatTemplate? LoadChatTemplate() => GgufTokenizer.ReadChatTemplate(_file.Metadata);

    /// <summary>Writes the file's tokenizer as a Hugging Face folder has it, chat template and all.</summary>
    /// <exception cref="ConfigException">As <see cref="LoadTokenizer"/>.</exception>
    internal void WriteTokenizer(string folder)
    {
        TokenizerWriter.Write(Path.Combine(folder, "tokenizer.json"), GgufTokenizer.ReadParts(_file.Metadata));
        var settings = GgufTokenizer.ReadSettings(_file.Metadata);
        settings["model_max_length"] = Config.MaxPositions;
        JsonFile.Write(Path.Combine(folder, "tokenizer_config.json"), settings);
    }

    /// <inheritdoc/>
    public override bool Contains(string name) => _tensors.ContainsKey(name);

    /// <inheritdoc/>
    public override HostTensor Get(string name) => Get(name, new MemoryLedger());

    /// <inheritdoc/>
    public override HostTensor Get(string name, MemoryLedger staging)
    {
        var tensor = Stored(name, out var isRotary).As(name, staging);
        if (!isRotary) return tensor;
        var copy = new NativeBuffer(staging, MemoryCategory.Workspace, tensor.ByteCount);
        try
        {
            CopyInOrder(tensor, Config.HeadDim, new(copy.As<byte>(), checked((int)copy.ByteCount)));
        }
        catch
        {
            copy.Dispose();
            throw;
        }
        return new(tensor.File, name, tensor.Type, tensor.Shape, copy);
    }

    /// <inheritdoc/>
    internal override TensorHeader Header(string name) => Stored(name, out _).Header;

    /// <inheritdoc/>
    public override StoredWeight Stored(string name)
    {
        var tensor = Stored(name, out var isRotary);
        var format = tensor.Header.Format;
        return isRotary ? new(format, StagingBytes: tensor.ByteCount) : new(format, ReadingBytes: tensor.StagingBytes);
    }

    /// <inheritdoc/>
    public override void Dispose() => _file.Dispose();

    private HostTensor Stored(string name, out bool isRotary)
    {
        if (!_tensors.TryGetValue(name, out var tensor))
        {
            var own = GgufTensorNames.OfHuggingFace(name, FamilyTable.Of(Config.Family));
            throw new ConfigException($"{Source}: tensor '{OneLine.Of(own)}' is missing");
        }
        isRotary = _isReordered && GgufTensorNames.IsRotary(name);
        return tensor;
    }

    private void Add(string name, HostTensor tensor)
    {
        if (!_tensors.TryAdd(name, tensor))
            throw new ConfigException($"{Source}: tensor '{OneLine.Of(tensor.Name)}' is another one's twin");
        if (_isReordered && GgufTensorNames.IsRotary(name) && tensor.Shape[0] % Config.HeadDim != 0)
            throw new ConfigException(
                $"{Source}: tensor '{tensor.Name}' has {CountText.Of(tensor.Shape[0], "row")}; allowed: a multiple of "
                    + $"the head width {Config.HeadDim}");
    }

    // With d the head width, h a head, j 0 or 1 and i below d/2: row h·d + j·d/2 + i of the model is row h·d + 2·i + j of the file.
    private static void CopyInOrder(HostTensor tensor, int headDim, Span<byte> destination)
    {
        var rowBytes = (int)(tensor.ByteCount / tensor.Shape[0]);
        var head = new byte[headDim * rowBytes];
        for (var first = 0; first < tensor.Shape[0]; first += headDim)
        {
            tensor.Read((long)first * rowBytes, head);
            for (var place = 0; place < headDim; place++)
            {
                var from = 2 * (place % (headDim / 2)) + place / (headDim / 2);
                head.AsSpan(from * rowBytes, rowBytes).CopyTo(destination[((first + place) * rowBytes)..]);
            }
        }
    }
}
