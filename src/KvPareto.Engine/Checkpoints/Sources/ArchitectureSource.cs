using KvPareto.Engine.Model;
using KvPareto.Text.Templates;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Engine.Checkpoints.Sources;

/// <summary>An architecture without weights.</summary>
/// <param name="model">What the user wrote.</param>
/// <param name="file">Its <c>config.json</c>.</param>
internal sealed class ArchitectureSource(string model, string file) : ModelSource(model, NameOf(file))
{
    /// <inheritdoc/>
    public override IReadOnlyList<ModelFile> Files => [new("config.json", file)];

    /// <inheritdoc/>
    public override Checkpoint OpenCheckpoint() => ArchitectureCheckpoint.Read(Model, file);

    /// <inheritdoc/>
    public override bool HasTokenizer => false;

    /// <inheritdoc/>
    internal override bool IsWhole => false;

    /// <inheritdoc/>
    public override Tokenizer? LoadTokenizer() => null;

    /// <inheritdoc/>
    public override ChatTemplate? LoadChatTemplate() => null;

    // A model's own file is called like everyone's; a copy has the name that it was given.
    private static string NameOf(string file) => Path.GetFileName(file) == "config.json"
        ? HubCache.NameOf(Path.GetDirectoryName(Path.GetFullPath(file))!)
        : Path.GetFileNameWithoutExtension(file);
}
