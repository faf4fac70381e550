using System.Globalization;
using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Model;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Engine.Checkpoints.Sources;

/// <summary><c>random:SEED:ARCHITECTURE</c>: random weights for any architecture, so that its memory and latency can be measured.</summary>
/// <param name="model">What the user wrote.</param>
/// <param name="seed">Seed of the weights.</param>
/// <param name="file">The architecture's <c>config.json</c>.</param>
internal sealed class RandomSource(string model, ulong seed, string file) : ModelSource(model, model)
{
    /// <inheritdoc/>
    public override IReadOnlyList<ModelFile> Files =>
        [new(string.Create(CultureInfo.InvariantCulture, $"random/{seed}/config.json"), file)];

    /// <summary>Reads the form <c>random:SEED:ARCHITECTURE</c>.</summary>
    /// <exception cref="ConfigException">The seed is no number, or there is no such architecture.</exception>
    public static RandomSource Parse(string model)
    {
        var parts = model[RandomPrefix.Length..].Split(':', 2);
        if (parts.Length < 2 || !ulong.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var seed))
            throw new ConfigException(
                $"{model}: allowed is random:SEED:ARCHITECTURE, SEED a whole number from 0 on and ARCHITECTURE {Architectures.Words}");
        return Architectures.Find(parts[1]) is { } file
            ? new(model, seed, file)
            : throw new ConfigException($"{model}: there is no architecture '{parts[1]}'; allowed: {Architectures.Words}");
    }

    /// <inheritdoc/>
    public override Checkpoint OpenCheckpoint() => new RandomCheckpoint(Model, ModelConfigReader.Read(file), seed);

    /// <inheritdoc/>
    public override bool HasTokenizer => false;

    /// <inheritdoc/>
    internal override bool IsWhole => false;

    /// <inheritdoc/>
    public override Tokenizer? LoadTokenizer() => null;

    /// <inheritdoc/>
    public override ChatTemplate? LoadChatTemplate() => null;
}
