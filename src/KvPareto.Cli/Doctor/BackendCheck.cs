using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;

namespace KvPareto.Cli.Doctor;

/// <summary>The logits of a text under a setting on one backend, and how fast they came.</summary>
/// <param name="Values">[T, V].</param>
/// <param name="TokensPerSecond">Of the second of two forward passes.</param>
internal readonly record struct CheckedLogits(float[] Values, double TokensPerSecond)
{
    // Codes that lie on the edge of two fall to the other side where what is coded was rounded otherwise, and move what follows.
    private const double CodedAllowance = 0.2;
    private const double Bf16Allowance = 0.04; // some roundings of 2^-9 a layer
    private const double F32Allowance = 1e-3;

    /// <summary>Reads a text on a backend.</summary>
    public static CheckedLogits Of(Backend backend, ModelSource source, InferenceSetting setting, ReadOnlySpan<int> ids)
    {
        using var checkpoint = source.OpenCheckpoint();
        using var weights = TransformerWeights.Load(backend, checkpoint, setting.Weights);
        var transformer = new Transformer(backend, checkpoint.Config, weights);
        var generator = new Generator(transformer, setting);
        generator.Feed(ids);
        var states = generator.Feed(ids);
        var width = checkpoint.Config.VocabularySize;
        var logits = new float[ids.Length * width];
        using var reader = new LogitReader(backend, checkpoint.Config, transformer.Head);
        for (var first = 0; first < ids.Length; first += LogitReader.MaxRows)
            reader.Read(states, first, Math.Min(LogitReader.MaxRows, ids.Length - first)).CopyTo(logits.AsMemory(first * width));
        return new(logits, ids.Length / states.Elapsed.TotalSeconds);
    }

    /// <summary>Norm of the difference over the norm of <paramref name="reference"/>'s logits.</summary>
    public double Error(CheckedLogits reference)
    {
        var (difference, norm) = (0.0, 0.0);
        for (var i = 0; i < Values.Length; i++)
        {
            difference += Math.Pow(Values[i] - reference.Values[i], 2);
            norm += Math.Pow(reference.Values[i], 2);
        }
        return Math.Sqrt(difference / norm);
    }

    /// <summary>The largest error that roundings explain.</summary>
    public static double Allowed(Backend backend, InferenceSetting setting) =>
        setting.Cache.IsCoded ? CodedAllowance : backend.ActivationType == DType.F32 ? F32Allowance : Bf16Allowance;
}
