using System.Text.Json.Nodes;
using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Checkpoints.Gguf;
using KvPareto.Engine.Model;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Engine.Checkpoints.Sources;

/// <summary>A GGUF file: weights, architecture, tokenizer and chat template in one.</summary>
internal sealed class GgufSource(string path) : ModelSource(path, Path.GetFileNameWithoutExtension(path))
{
    /// <inheritdoc/>
    public override IReadOnlyList<ModelFile> Files => [new("model" + GgufCheckpoint.Extension, Model)];

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
