using System.Text.Json.Nodes;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Model;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Engine.Checkpoints.Sources;

/// <summary>A Hugging Face folder.</summary>
internal sealed class FolderSource(string model, string name, string folder) : ModelSource(model, name)
{
    private static readonly string[] Required = ["config.json", "tokenizer.json"];
    private static readonly string[] Optional =
        ["chat_template.jinja", "generation_config.json", "model.safetensors.index.json", "tokenizer_config.json"];
    private static readonly string[] CopiedPatterns = ["*.json", "*.txt", "*.model", "*.jinja"];

    /// <inheritdoc/>
    public override IReadOnlyList<ModelFile> Files
    {
        get
        {
            if (Required.FirstOrDefault(file => !Has(file)) is { } missing)
                throw new ConfigException($"{folder}: {missing} is missing"
                    + "; allowed: a Hugging Face model folder with config.json, tokenizer.json and *.safetensors");
            var weights = Directory.GetFiles(folder, "*.safetensors").Select(file => Path.GetFileName(file)).ToArray();
            if (weights.Length == 0)
                throw new ConfigException($"{folder}: no *.safetensors file; allowed: a Hugging Face model folder with its weights");
            var names = Required.Concat(Optional.Where(Has)).Concat(weights).Order(StringComparer.Ordinal);
            return [.. names.Select(file => new ModelFile(file, Path.Combine(folder, file)))];
        }
    }

    /// <inheritdoc/>
    public override Checkpoint OpenCheckpoint() => SafeTensorsCheckpoint.Open(folder);

    /// <inheritdoc/>
    public override Checkpoint OpenShapes() => SafeTensorsCheckpoint.HasWeights(folder)
        ? OpenCheckpoint()
        : ArchitectureCheckpoint.Read(Model, Path.Combine(folder, "config.json"));

    /// <inheritdoc/>
    public override bool HasTokenizer => Has("tokenizer.json");

    /// <inheritdoc/>
    public override Tokenizer? LoadTokenizer() => HasTokenizer ? Tokenizer.Load(folder) : null;

    /// <inheritdoc/>
    public override ChatTemplate? LoadChatTemplate() => ChatTemplate.Load(folder);

    /// <inheritdoc/>
    internal override JsonObject WriteFolder(string target)
    {
        foreach (var file in CopiedPatterns.SelectMany(pattern => Directory.GetFiles(folder, pattern)))
        {
            var name = Path.GetFileName(file);
            if (name != "config.json" && !name.EndsWith(".index.json", StringComparison.Ordinal)) File.Copy(file, Path.Combine(target, name));
        }
        return JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();
    }

    private bool Has(string file) => File.Exists(Path.Combine(folder, file));
}
