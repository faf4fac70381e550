using KvPareto.Cpu.Storage.Schemes;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Storage;

/// <summary>From what a plan says to the stores that do it: the one place that knows all schemes.</summary>
internal static class StoreFactory
{
    /// <summary>The keys of a layer.</summary>
    public static KvSide<KeyStore> KeySide(SidePlan plan) =>
        new(capacity => Keys(plan, capacity), capacity => new PlainKeys(plan.HeadDim, 16, capacity), plan);

    /// <summary>The values of a layer.</summary>
    public static KvSide<ValueStore> ValueSide(SidePlan plan) =>
        new(capacity => Values(plan, capacity), capacity => new PlainValues(plan.HeadDim, 16, capacity), plan);

    /// <summary>The store of coded (or, from 16 bits on, plain) keys.</summary>
    public static KeyStore Keys(SidePlan plan, int capacity) => !plan.IsCoded
        ? new PlainKeys(plan.HeadDim, plan.Bits, capacity)
        : TokenSchemeOf(plan) is { } token
            ? new TokenKeys(token, capacity)
            : new TokenBlockKeys(TokenBlockSchemeOf(plan), capacity);

    /// <summary>The store of coded or plain values.</summary>
    public static ValueStore Values(SidePlan plan, int capacity) => !plan.IsCoded
        ? new PlainValues(plan.HeadDim, plan.Bits, capacity)
        : TokenSchemeOf(plan) is { } token
            ? new TokenValues(token, capacity)
            : new TokenBlockValues(TokenBlockSchemeOf(plan), capacity);

    private static TokenScheme? TokenSchemeOf(SidePlan plan) => plan.Granularity.Axis switch
    {
        KvAxis.Token => new TokenGroupScheme(plan.Bits, plan.HeadDim, plan.Granularity.Group, plan.Fit),
        KvAxis.Tensor => new TensorScheme(plan.Bits, plan.HeadDim, plan.Fit),
        _ => null,
    };

    private static TokenBlockScheme TokenBlockSchemeOf(SidePlan plan) => plan.Granularity.Axis switch
    {
        KvAxis.Channel => new ChannelScheme(plan.Bits, plan.HeadDim, plan.Granularity.Group, plan.Fit),
        KvAxis.Block => new BlockScheme(plan.Bits, plan.HeadDim, plan.Granularity.Group, plan.Fit),
        KvAxis.PowerOfTwo => new PowerOfTwoScheme(plan.Bits, plan.HeadDim, plan.Fit),
        _ => throw new ArgumentException($"{plan.Granularity} has no store", nameof(plan)),
    };
}
