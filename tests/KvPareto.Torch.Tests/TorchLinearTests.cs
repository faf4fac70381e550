using static TorchSharp.torch;

namespace KvPareto.Torch.Tests;

/// <summary>Scripts/elements.py's product where inputs, weights and the stripe are of any types, as they are on a GPU.</summary>
public class TorchLinearTests
{
    private const int Rows = 3, Inputs = 64, Outputs = 20, Group = 32, Bits = 4;

    public static IEnumerable<TheoryDataRow<bool, bool, bool, bool>> Cases() =>
        Enumerable.Range(0, 16).Select(i => new TheoryDataRow<bool, bool, bool, bool>((i & 1) > 0, (i & 2) > 0, (i & 4) > 0, (i & 8) > 0));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Linear_IsTheProduct_WhateverTheTypes(bool isCoded, bool hasShortInputs, bool hasShortStripe, bool hasShortOutputs)
    {
        TorchLibraryOrSkip.Require();
        var device = new Device(TorchLibraryOrSkip.Device.Kind, TorchLibraryOrSkip.Device.Ordinal);
        using var codec = new TorchCodes(device, Type(hasShortStripe), stripeElements: 5 * Inputs);
        using var scope = NewDisposeScope();
        using var random = new Generator(1);
        var x = randn([Rows, Inputs], generator: random).to(Type(hasShortInputs)).to(device);
        var bias = randn([Outputs], generator: random).to(device);
        var rows = randn([Outputs, Inputs], generator: random).to(ScalarType.BFloat16).to(device);
        var widened = rows.to(ScalarType.Float32);
        Tensor[] weight = [rows, codec.Nothing, bias, codec.Nothing];
        if (isCoded)
        {
            // Scale 1/2 (0x3800), zero point −3.
            var codes = randint(0, 256, [Outputs, Inputs * Bits / 8], ScalarType.Byte, generator: random).to(device);
            var entries = full([Outputs, Inputs / Group], 0x3800 << 16 | 0xFFFD, ScalarType.Int32, device);
            var unpacked = TorchScripts.Tensor("unpack", codes, Bits, codec.Shifts(Bits)).to(ScalarType.Float32);
            (widened, weight) = ((unpacked - 8 + 3) * 0.5, [codes, entries, bias, codec.Shifts(Bits)]);
        }
        var y = zeros([Rows, Outputs], Type(hasShortOutputs), device);
        TorchScripts.Run("linear", x, weight, y, codec.Stripe);
        var expected = x.to(ScalarType.Float32).matmul(widened.t()) + bias;
        var tolerance = hasShortInputs || hasShortOutputs ? 0.02 : 1e-5;
        Assert.InRange((y.to(ScalarType.Float32) - expected).norm().item<float>() / expected.norm().item<float>(), 0, tolerance);
    }

    private static ScalarType Type(bool isShort) => isShort ? ScalarType.BFloat16 : ScalarType.Float32;
}
