using System.Globalization;
using System.Text.Json.Nodes;
using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Checkpoints.Gguf;
using KvPareto.Engine.Model;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Engine.Checkpoints.Sources;

/// <summary>A GGUF file, or the parts of a split one: weights, architecture, tokenizer and chat template in one.</summary>
internal sealed class GgufSource(string path) : ModelSource(path, GgufParts.NameOf(path))
{
    /// <inheritdoc/>
    public override IReadOnlyList<ModelFile> Files
    {
        get
        {
            var parts = GgufParts.ByName(Model);
            return parts.Length == 1
                ? [new("model" + GgufCheckpoint.Extension, Model)]
                : [.. parts.Select(
                    (part, index) =>
                        new ModelFile(
                            string.Create(CultureInfo.InvariantCulture, $"model-{index + 1:00000}{GgufCheckpoint.Extension}"), part))];
        }
    }

    /// <inheritdoc/>
    public override Checkpoint OpenCheckpoint() => GgufCheckpoint.Open(Model);

    /// <inheritdoc/>
    public override bool HasTokenizer
    {
        get
        {
            using var file = GgufCheckpoint.Open(Model);
            return file.HasTokenizer;
        }
    }

    /// <inheritdoc/>
    public override Tokenizer? LoadTokenizer()
    {
        using var file = GgufCheckpoint.Open(Model);
        return file.HasTokenizer ? file.LoadTokenizer() : null;
    }

    /// <inheritdoc/>
    public override ChatTemplate? LoadChatTemplate()
    {
        using var file = GgufCheckpoint.Open(Model);
        return file.LoadChatTemplate();
    }

    /// <inheritdoc/>
    internal override JsonObject WriteFolder(string folder)
    {
        using var file = GgufCheckpoint.Open(Model);
        var config = ModelConfigWriter.Write(file);
        file.WriteTokenizer(folder);
        JsonFile.Write(Path.Combine(folder, "generation_config.json"), ModelConfigWriter.WriteGeneration(file.Config));
        return config;
    }
}
