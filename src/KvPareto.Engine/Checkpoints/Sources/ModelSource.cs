using System.Text.Json.Nodes;
using KvPareto.Engine.Checkpoints.Gguf;
using KvPareto.Engine.Model;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Engine.Checkpoints.Sources;

/// <summary>
/// What a user may write for MODEL, resolved in one place: a Hugging Face folder or one of the hub's cache, a <c>.gguf</c> file,
/// <c>embedded:NAME</c>,
/// <c>random:SEED:ARCHITECTURE</c>, or an architecture alone (a <c>config.json</c>, or the name of one that comes with the tool).
/// Opening reads nothing large; each part is read when asked for, so that tokenizing needs no weights.
/// </summary>
public abstract class ModelSource
{
    /// <summary>What may be written, for messages and help.</summary>
    public const string Words = $"{WholeWords}, or random:SEED:ARCHITECTURE";

    /// <summary>What may be written where weights and tokenizer must be there.</summary>
    public const string WholeWords = "a Hugging Face folder, a .gguf file, embedded:llama, embedded:qwen2, embedded:mistral";

    /// <summary>What random models begin with.</summary>
    public const string RandomPrefix = "random:";

    /// <summary>Sets what messages and results call it.</summary>
    protected ModelSource(string model, string name)
    {
        (Model, Name) = (model, name);
    }

    /// <summary>What the user wrote, for messages.</summary>
    public string Model { get; }

    /// <summary>A short name for results: a folder's or file's own, else what the user wrote.</summary>
    public string Name { get; }

    /// <summary>The files that the model's answers depend on, for a digest, in ordinal order of names.</summary>
    /// <exception cref="ConfigException">One that must be there is missing.</exception>
    public abstract IReadOnlyList<ModelFile> Files { get; }

    /// <summary>Resolves what a user wrote.</summary>
    /// <exception cref="ConfigException">It is neither there nor one of the known forms; the message lists them.</exception>
    public static ModelSource Open(string model)
    {
        if (model.StartsWith(EmbeddedModels.Prefix, StringComparison.Ordinal))
            return new FolderSource(model, model, EmbeddedModels.Resolve(model));
        if (model.StartsWith(RandomPrefix, StringComparison.Ordinal)) return RandomSource.Parse(model);
        if (model.EndsWith(GgufCheckpoint.Extension, StringComparison.OrdinalIgnoreCase) && File.Exists(model))
            return new GgufSource(model);
        if (Directory.Exists(model))
        {
            var folder = HubCache.Resolve(model);
            return new FolderSource(model, HubCache.NameOf(folder), folder);
        }
        if (Architectures.Find(model) is { } config) return new ArchitectureSource(model, config);
        throw new ConfigException(File.Exists(model)
            ? $"{model}: is a file of no kind that is known; allowed: {Words}"
            : $"{model}: there is no such model; allowed: {Words}; known architectures: {string.Join(", ", Architectures.Names)}");
    }

    /// <summary>The weights, or for an architecture alone a checkpoint whose tensors cannot be read.</summary>
    /// <exception cref="ConfigException">A file is missing, damaged or of an unknown kind.</exception>
    public abstract Checkpoint OpenCheckpoint();

    /// <summary>As <see cref="OpenCheckpoint"/>, but where there are no weights the architecture does: for what needs only
    /// shapes.</summary>
    /// <exception cref="ConfigException">A file is missing, damaged or of an unknown kind.</exception>
    public virtual Checkpoint OpenShapes() => OpenCheckpoint();

    /// <summary>False for a model that takes and gives token ids only.</summary>
    public virtual bool HasTokenizer => true;

    /// <summary>False for an architecture, with random weights or none.</summary>
    internal virtual bool IsWhole => true;

    /// <summary>The tokenizer; null where the model has none.</summary>
    /// <exception cref="ConfigException">Its file is damaged, or missing where there must be one.</exception>
    public abstract Tokenizer? LoadTokenizer();

    /// <summary>The chat template; null where the model has none.</summary>
    /// <exception cref="ConfigException">The template uses a construct that is not known.</exception>
    public abstract ChatTemplate? LoadChatTemplate();

    /// <summary>The tokenizer, for commands that take text.</summary>
    /// <exception cref="ConfigException">The model has none, or as <see cref="LoadTokenizer"/>.</exception>
    public Tokenizer RequireTokenizer() => LoadTokenizer() ?? throw WithoutTokenizer();

    /// <summary>What to throw where text is given to a model without a tokenizer.</summary>
    public virtual ConfigException WithoutTokenizer() =>
        new($"{Model}: has no tokenizer (tokenizer.json), so it takes no text; allowed: a model with one, or 'generate --prompt-tokens N'");

    /// <summary>Refuses a model of which no Hugging Face folder can be made.</summary>
    /// <exception cref="ConfigException">It is random, or an architecture alone.</exception>
    public void RequireFolder()
    {
        if (!IsWhole) throw WithoutFolder();
    }

    /// <summary>
    /// Writes what a Hugging Face folder of the model has beside weights and <c>config.json</c>, and gives what the latter says.
    /// </summary>
    /// <exception cref="ConfigException">As <see cref="RequireFolder"/>, or the model has what the files have no words for.</exception>
    internal virtual JsonObject WriteFolder(string folder) => throw WithoutFolder();

    private ConfigException WithoutFolder() =>
        new($"{Model}: is an architecture, not a model with weights and tokenizer of its own; allowed: {WholeWords}");
}
