using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Model;
using KvPareto.Engine.Model.Families;
using KvPareto.Engine.Rotary;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>Reads the rotary embedding of a GGUF file: its keys, and the tensors of divisors that some have in place of them.</summary>
internal sealed unsafe class GgufRopeReader(GgufFile file, Family family, int headDim, int turned, int positions)
{
    private const string FactorKey = "rope.scaling.factor";
    private const string OldFactorKey = "rope.scale_linear";
    private const string TypeKey = "rope.scaling.type";
    private const string AttentionKey = "rope.scaling.attn_factor";

    private readonly GgufMetadata _metadata = file.Metadata;

    /// <summary>The frequencies.</summary>
    /// <exception cref="ConfigException">A value or tensor is out of range or not supported.</exception>
    public RopeTable Read()
    {
        var theta = Number("rope.freq_base", 1, 1e15, family.DefaultTheta);
        if (file.Tensors.ContainsKey(GgufTensorNames.LongRopeFactors)) return LongRope(theta).Within(headDim);
        var table = Scaled(theta).Within(headDim);
        return file.Tensors.TryGetValue(GgufTensorNames.RopeFactors, out var factors) ? Divided(table, factors) : table;
    }

    // A factor without a type is llama.cpp's default, linear; 0 and 1 scale nothing. The old key means the same.
    private RopeTable Scaled(double theta)
    {
        var factor = Number(_metadata.Has(Key(FactorKey)) ? FactorKey : OldFactorKey, 0, RopeReader.LargestFactor, 0);
        var type = _metadata.Word(Key(TypeKey), ["none", "linear", "yarn"], factor is 0 or 1 ? "none" : "linear");
        if (type == "yarn")
        {
            if (theta <= 1) throw _metadata.Refuse(Key("rope.freq_base"), "a number greater than 1 where rope.scaling.type is yarn");
            return RopeFrequencies.Yarn(turned, theta, Yarn());
        }
        if (_metadata.Has(Key(AttentionKey)) && AttentionFactor() != 1)
            throw _metadata.Refuse(Key(AttentionKey), $"1 where {TypeKey} is {type}");
        if (type == "none" || (factor is 0 or 1 && _metadata.Has(Key(FactorKey)))) return RopeFrequencies.Default(turned, theta);
        return RopeFrequencies.Linear(turned, theta, Factor());
    }

    private YarnScaling Yarn()
    {
        var scaling = new YarnScaling(Factor(), OriginalPositions())
        {
            BetaFast = Number("rope.scaling.yarn_beta_fast", RopeReader.LeastFactor, RopeReader.LargestFactor, 32),
            BetaSlow = Number("rope.scaling.yarn_beta_slow", RopeReader.LeastFactor, RopeReader.LargestFactor, 1),
        };
        return scaling with { AttentionFactor = scaling.EffectiveAttentionFactor * AttentionFactor() };
    }

    private RopeTable LongRope(double theta)
    {
        if (!file.Tensors.TryGetValue(GgufTensorNames.ShortRopeFactors, out var shortFactors))
            throw new ConfigException(
                $"{_metadata.Source}: tensor '{GgufTensorNames.ShortRopeFactors}' is missing beside {GgufTensorNames.LongRopeFactors}");
        return RopeFrequencies.LongRope(
            turned, theta,
                new(Divisors(shortFactors), Divisors(file.Tensors[GgufTensorNames.LongRopeFactors]), OriginalPositions(),
                AttentionFactor()));
    }

    private RopeTable Divided(RopeTable table, HostTensor factors)
    {
        var divisors = Divisors(factors);
        float[] divided = [.. table.InverseFrequencies.Zip(divisors, static (frequency, divisor) => frequency / divisor)];
        if (!divided.All(float.IsFinite)) throw Refuse(factors, "has a factor that is too small");
        return new(divided, table.AttentionScale, headDim) { Form = Divided(table.Form!, divisors) };
    }

    private static RopeForm? Divided(RopeForm form, float[] divisors)
    {
        if (divisors.All(static divisor => divisor == 1)) return form;
        return form.Scaling is null && Llama3Fit.Find(form.Theta, divisors) is { } scaling ? form with { Scaling = scaling } : null;
    }

    private float[] Divisors(HostTensor factors)
    {
        var half = turned / 2;
        if (factors.Type != TensorType.F32 || factors.Shape.Length != 1 || factors.Shape[0] != half)
            throw Refuse(factors, $"is {factors.Type.SafeTensorsName()} {factors.ShapeText}; allowed: F32 [{half}]");
        var divisors = factors.Floats();
        return divisors.All(static divisor => divisor > 0 && float.IsFinite(divisor)) ? divisors
            : throw Refuse(factors, "has a factor that is not above 0");
    }

    private string Key(string name) => $"{family.GgufName}.{name}";

    private double Number(string name, double min, double max, double fallback) => _metadata.Number(Key(name), min, max, fallback);

    private double Factor() => _metadata.Number(
        Key(_metadata.Has(Key(FactorKey)) || !_metadata.Has(Key(OldFactorKey)) ? FactorKey : OldFactorKey), RopeReader.LeastFactor,
            RopeReader.LargestFactor);

    private double AttentionFactor() => Number(AttentionKey, RopeReader.LeastFactor, RopeReader.LargestFactor, 1);

    private int OriginalPositions() =>
        _metadata.Integer(Key("rope.scaling.original_context_length"), 1, ModelConfigReader.MostPositions, positions);

    private ConfigException Refuse(HostTensor tensor, string what) => new($"{_metadata.Source}: tensor '{tensor.Name}' {what}");
}
