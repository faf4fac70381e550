using KvPareto.Engine.Cache;
using KvPareto.Testing;
using TorchSharp;

namespace KvPareto.Torch.Tests;

/// <summary>Scripts/codec.py against the scalar definition, bit for bit.</summary>
public class TorchCodecTests
{
    public static TheoryData<int, int> Cases()
    {
        var cases = new TheoryData<int, int>();
        foreach (var bits in new[] { 2, 4, 8 })
        {
            foreach (var percent in new[] { 100, 90, 55 }) cases.Add(bits, percent);
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void EntriesCodesAndValues_AreGroupCodecs(int bits, int clipPercent)
    {
        using var backend = TorchLibraryOrSkip.Backend();
        const int Count = 64;
        var clip = clipPercent / 100f;
        var device = new torch.Device(TorchLibraryOrSkip.Device.Kind, TorchLibraryOrSkip.Device.Ordinal);
        using var codec = new TorchCodes(device, torch.ScalarType.Float32, stripeElements: 1);
        foreach (var seed in new[] { 1, 2, 3, 4, 5, 6, 7, 8 })
        {
            var groups = NastyGroups.All(Count, seed).ToArray();
            using var scope = torch.NewDisposeScope();
            var x = torch.tensor(groups.SelectMany(group => group).ToArray(), [1, 1, 1, groups.Length, Count], device: codec.Device);
            var entries =
                TorchScripts.Tensor(
                "fit", x.amin([2, 4], true), x.amax([2, 4], true), codec.Constants(bits), (double)GroupCodec.MinCode(bits),
                torch.tensor([clip]));
            var codes = TorchScripts.Tensor("encode", x, entries, (double)GroupCodec.MinCode(bits), (double)GroupCodec.MaxCode(bits));
            var packed = TorchScripts.Tensor("pack", codes.reshape(groups.Length, Count), bits, codec.Shifts(bits));
            var values = TorchScripts.Tensor("decode", codes, entries, (double)GroupCodec.MinCode(bits)).cpu().data<float>().ToArray();
            var (entry, bytes) = (entries.cpu().data<int>().ToArray(), packed.contiguous().cpu().data<byte>().ToArray());
            for (var g = 0; g < groups.Length; g++)
            {
                var meta = GroupCodec.Fit(Least(groups[g]), Most(groups[g]), bits, new(clip));
                Assert.Equal(meta.ScaleBits << 16 | (ushort)meta.Zero, entry[g]);
                var expected = new byte[Count * bits / 8];
                for (var i = 0; i < Count; i++)
                {
                    var code = GroupCodec.Encode(groups[g][i], meta, bits);
                    GroupCodec.Store(expected, i, code, bits);
                    if (!float.IsNaN(meta.Scale))
                        Assert.Equal(
                            BitConverter.SingleToInt32Bits(GroupCodec.Decode(code, meta)),
                                BitConverter.SingleToInt32Bits(values[g * Count + i]));
                }
                if (!float.IsNaN(meta.Scale)) Assert.Equal(expected, bytes.AsSpan(g * expected.Length, expected.Length).ToArray());
            }
            var unpacked = TorchScripts.Tensor("unpack", packed, bits, codec.Shifts(bits));
            Assert.Equal(codes.reshape(-1).cpu().data<byte>().ToArray(), unpacked.reshape(-1).cpu().data<byte>().ToArray());
        }
    }

    // NaN spoils a range for good.
    private static float Least(float[] group) => group.Any(float.IsNaN) ? float.NaN : group.Min();

    private static float Most(float[] group) => group.Any(float.IsNaN) ? float.NaN : group.Max();
}
