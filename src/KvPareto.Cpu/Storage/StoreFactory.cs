using KvPareto.Cpu.Storage.Schemes;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Storage;

/// <summary>From what a spec says to the store that does it: the one place that knows all schemes.</summary>
internal static class StoreFactory
{
    /// <summary>The store of coded (or, at 16 and 32 bits, plain) keys.</summary>
    public static KeyStore Keys(KvSpec spec, int headDim, int capacity) => spec.KeyBits >= 16
        ? new PlainKeys(headDim, spec.KeyBits, capacity)
        : TokenSchemeOf(spec.KeyGranularity, spec.KeyBits, headDim, spec) is { } token
            ? new TokenKeys(token, capacity)
            : new RunKeys(RunSchemeOf(spec.KeyGranularity, spec.KeyBits, headDim, spec), capacity);

    /// <summary>The store of coded or plain values.</summary>
    public static ValueStore Values(KvSpec spec, int headDim, int capacity) => spec.ValueBits >= 16
        ? new PlainValues(headDim, spec.ValueBits, capacity)
        : TokenSchemeOf(spec.ValueGranularity, spec.ValueBits, headDim, spec) is { } token
            ? new TokenValues(token, capacity)
            : new RunValues(RunSchemeOf(spec.ValueGranularity, spec.ValueBits, headDim, spec), capacity);

    /// <summary>Tokens that a spec's granularity codes together.</summary>
    public static int Granule(int bits, KvGranularity granularity) =>
        bits < 16 && granularity.Axis is KvAxis.Channel or KvAxis.Block ? granularity.Group : 1;

    private static TokenScheme? TokenSchemeOf(KvGranularity granularity, int bits, int headDim, KvSpec spec) => granularity.Axis switch
    {
        KvAxis.Token => new TokenGroupScheme(bits, headDim, granularity.Group, Clip(spec)),
        KvAxis.Tensor => new TensorScheme(bits, headDim, Clip(spec)),
        _ => null,
    };

    private static RunScheme RunSchemeOf(KvGranularity granularity, int bits, int headDim, KvSpec spec) => granularity.Axis switch
    {
        KvAxis.Channel => new ChannelScheme(bits, headDim, granularity.Group, Clip(spec)),
        KvAxis.Block => new BlockScheme(bits, headDim, granularity.Group, Clip(spec)),
        KvAxis.PowerOfTwo => new PowerOfTwoScheme(bits, headDim, Clip(spec)),
        _ => throw new ArgumentException($"{granularity} has no store", nameof(granularity)),
    };

    private static float Clip(KvSpec spec) => spec.ClipPercent / 100f;
}
