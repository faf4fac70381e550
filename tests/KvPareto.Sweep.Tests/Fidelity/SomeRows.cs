using KvPareto.Sweep.Fidelity;

namespace KvPareto.Sweep.Tests.Fidelity;

/// <summary>Made-up rows.</summary>
internal static class SomeRows
{
    public static FidelityRow Row(string setting, double bits, double divergence, string model = "model") => new()
    {
        Model = model,
        Text = "text.txt",
        Tokens = 512,
        Window = 256,
        Setting = setting,
        BitsPerElement = bits,
        BytesPerToken = 40 * bits,
        WeightBytes = 123_456,
        Ppl = 20 + divergence,
        ReferencePpl = 20,
        KlMean = divergence,
        KlP50 = divergence / 2,
        KlP99 = divergence * 9,
        KlMax = divergence * 40,
        Top1 = Math.Exp(-divergence),
        PplSecondHalf = 18 + divergence,
        KlSecondHalf = divergence / 1.5,
        Seconds = 1.5,
    };
}
