using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Engine.Weights;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Fidelity;

/// <summary>
/// A model's own unquantized run over some windows of a text: weights as the checkpoint has them, keys and values in f32, each window
/// from an empty cache. It runs once for all settings, and keeps hidden states rather than logits, which are V/H times larger.
/// </summary>
/// <remarks>
/// The cache is f32, not f16, so that the 16-bit setting shows its own rounding: it is the noise floor that other settings stand on.
/// </remarks>
public sealed class FidelityReference
{
    /// <summary>The setting of the reference. Its chunk bears on memory only: unquantized keys do not depend on it.</summary>
    public static readonly InferenceSetting Setting = new() { Cache = new() { Keys = new(32), Values = new(32) }, Chunk = 512 };

    private readonly TextStates[] _states;
    private readonly WeightFormat? _headFormat; // null: of another model
    private readonly Func<Checkpoint> _open;

    private FidelityReference(IReadOnlyList<int[]> windows, TextStates[] states, WeightFormat? headFormat, Func<Checkpoint> open)
    {
        (Windows, _states, _headFormat, _open) = (windows, states, headFormat, open);
    }

    /// <summary>Token ids of each window.</summary>
    public IReadOnlyList<int[]> Windows { get; }

    /// <summary>Runs the reference.</summary>
    /// <param name="transformer">Its weights as the checkpoint has them; not needed afterwards.</param>
    /// <param name="open">Opens the checkpoint again, for the output head where a model's own is coded.</param>
    /// <param name="windows">Token ids of each window.</param>
    /// <param name="isOtherModel">The settings' checkpoint is another one, so that its head must not stand in for the reference's.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <exception cref="ConfigException">A token is not of the model's vocabulary.</exception>
    public static FidelityReference Run(
        Transformer transformer,
        Func<Checkpoint> open,
        IReadOnlyList<int[]> windows,
        bool isOtherModel = false,
        CancellationToken cancellation = default)
    {
        var generator = new Generator(transformer, Setting);
        TextStates[] states = [.. windows.Select(window => generator.Feed(window, cancellation))];
        return new(windows, states, isOtherModel ? null : transformer.Head.Format, open);
    }

    /// <summary>The reference's states of a window.</summary>
    internal TextStates States(int window) => _states[window];

    /// <summary>
    /// The head that turns <see cref="States"/> into logits: the model's own where it stores the checkpoint's elements, else loaded.
    /// The caller disposes it.
    /// </summary>
    internal OutputHead Head(Transformer model)
    {
        if (model.Head.Format == _headFormat) return model.Head;
        using var checkpoint = _open();
        return OutputHead.Load(model.Backend, checkpoint);
    }
}
