using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Model;

/// <summary>What turns hidden states into logits: the final norm and the output projection.</summary>
public sealed class OutputHead : IDisposable
{
    private readonly Backend _backend;
    private readonly float _epsilon;
    private readonly Weight _norm; // [H]
    private readonly Weight _projection; // [V, H]
    private readonly bool _owns;

    private OutputHead(Backend backend, ModelConfig config, Weight norm, Weight projection, bool owns)
    {
        (_backend, _epsilon, _norm, _projection, _owns) = (backend, config.StreamEpsilon, norm, projection, owns);
    }

    /// <summary>How the projection's elements are stored.</summary>
    public WeightFormat Format => _projection.Format;

    /// <summary>Brings the head alone into backend memory, as the checkpoint has it.</summary>
    /// <exception cref="ConfigException">A tensor is missing, or has another shape or type than the architecture asks for.</exception>
    public static OutputHead Load(Backend backend, Checkpoint checkpoint)
    {
        using var loader = new WeightLoader(backend, checkpoint, WeightSpec.Full);
        var (norm, projection) = loader.LoadHead();
        return new(backend, checkpoint.Config, norm, projection, owns: true);
    }

    /// <summary>Logits [R, V] of hidden states [R, H]; the final norm is applied in place.</summary>
    public void Apply(Tensor hidden, Tensor logits)
    {
        _backend.RmsNorm(hidden, _norm, _epsilon, hidden);
        _backend.Linear(hidden, _projection, logits);
    }

    /// <summary>Gives back weights that were loaded for it alone; those of a transformer stay.</summary>
    public void Dispose()
    {
        if (!_owns) return;
        _norm.Dispose();
        _projection.Dispose();
    }

    internal static OutputHead Of(Backend backend, ModelConfig config, TransformerWeights weights) =>
        new(backend, config, weights.FinalNorm, weights.Head, owns: false);
}
