using System.Text.Json.Nodes;
using KvPareto.Engine.Checkpoints.Gguf;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Model;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Engine.Checkpoints.Sources;

/// <summary>A Hugging Face folder.</summary>
internal sealed class FolderSource : ModelSource
{
    private static readonly string[] Required = ["config.json", "tokenizer.json"];

    // All else that some reader opens besides the weights: what is read and not listed here would change answers, but no digest.
    private static readonly string[] Optional =
    [
        "chat_template.jinja", "chat_template.json", "generation_config.json", "quant_config.json", "special_tokens_map.json",
            "tokenizer_config.json",
    ];

    private static readonly string[] CopiedPatterns = ["*.json", "*.txt", "*.model", "*.jinja"];

    private readonly string _folder;

    /// <summary>The model in <paramref name="folder"/>.</summary>
    /// <exception cref="ConfigException">A file cannot be opened.</exception>
    public FolderSource(string model, string name, string folder) : base(model, name)
    {
        _folder = folder;
        foreach (var file in Required.Concat(Optional).Where(Has)) ForeignFile.Open(Path.Combine(folder, file)).Dispose();
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ModelFile> Files
    {
        get
        {
            if (Required.FirstOrDefault(file => !Has(file)) is { } missing) throw Missing(missing);
            var weights = SafeTensorsCheckpoint.FileNames(_folder);
            if (weights.Count == 0)
                throw new ConfigException(
                    $"{_folder}: has no weights; allowed: a Hugging Face model folder with model.safetensors, or "
                        + "model.safetensors.index.json with its shards");
            var names = Required.Concat(Optional.Where(Has)).Concat(weights).Order(StringComparer.Ordinal);
            return [.. names.Select(file => new ModelFile(file, Path.Combine(_folder, file)))];
        }
    }

    /// <inheritdoc/>
    public override Checkpoint OpenCheckpoint() => SafeTensorsCheckpoint.Open(_folder);

    /// <inheritdoc/>
    public override Checkpoint OpenShapes() => SafeTensorsCheckpoint.HasWeights(_folder)
        ? OpenCheckpoint()
        : ArchitectureCheckpoint.Read(Model, Path.Combine(_folder, "config.json"));

    /// <inheritdoc/>
    public override bool HasTokenizer => Has("tokenizer.json");

    /// <inheritdoc/>
    public override Tokenizer? LoadTokenizer() => HasTokenizer ? Tokenizer.Load(_folder) : null;

    /// <inheritdoc/>
    public override ConfigException WithoutTokenizer() => Has(Required[0]) ? base.WithoutTokenizer() : Missing(Required[0]);

    /// <inheritdoc/>
    public override ChatTemplate? LoadChatTemplate() => ChatTemplate.Load(_folder);

    /// <inheritdoc/>
    internal override JsonObject WriteFolder(string target)
    {
        foreach (var file in CopiedPatterns.SelectMany(pattern => Directory.GetFiles(_folder, pattern)))
        {
            var name = Path.GetFileName(file);
            // On a full disk File.Copy would not say which file it could not write.
            if (name != "config.json" && !name.EndsWith(".index.json", StringComparison.Ordinal))
                File.WriteAllBytes(Path.Combine(target, name), File.ReadAllBytes(file));
        }
        return JsonNode.Parse(File.ReadAllText(Path.Combine(_folder, "config.json")))!.AsObject();
    }

    private ConfigException Missing(string file)
    {
        var gguf = Directory.EnumerateFiles(_folder, "*" + GgufCheckpoint.Extension).Order(StringComparer.Ordinal).FirstOrDefault();
        return new($"{_folder}: {file} is missing; allowed: a Hugging Face model folder with config.json, tokenizer.json and *.safetensors"
            + (gguf is null ? "" : $", or the file {gguf}"));
    }

    private bool Has(string file) => File.Exists(Path.Combine(_folder, file));
}
