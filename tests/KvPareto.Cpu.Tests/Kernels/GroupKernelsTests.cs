using KvPareto.Cpu.Kernels;
using KvPareto.Testing;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Tests.Kernels;

public sealed unsafe class GroupKernelsTests
{
    private const int Tile = 16;
    private const float Poison = -7777.25f;

    // Every f16 scale that Fit gives, and constants, some of them NaN, among them.
    private static readonly GroupMeta[] Metas =
    [
        .. Enumerable.Range(1, 0x7BFF).Select(bits => new GroupMeta((ushort)bits, (short)(bits * 40503))),
        .. Enumerable.Range(0, 40 * Tile)
            .Select(i =>
            i % 3 == 0 ? GroupMeta.Constant(i % 9 == 0 ? float.NaN : MathF.Pow(1.1f, i - 300))
                : new GroupMeta((ushort)(0x3000 + i), (short)-i)),
        .. NastyGroups.All(64, seed: 1).Select(group => GroupCodec.Fit(group.Min(), group.Max(), 4)),
    ];

    [Fact]
    public void ReadTile_IsTheCodec_AtEveryWidth()
    {
        foreach (var width in Simd.Supported)
            for (var first = 0; first + Tile <= Metas.Length; first += Tile)
            {
                var metas = Metas.AsSpan(first, Tile);
                var (bits, zeros) = (new ushort[Tile], new short[Tile]);
                for (var i = 0; i < Tile; i++) (bits[i], zeros[i]) = (metas[i].ScaleBits, metas[i].Zero);
                var (scales, offsets) = (Poisoned(Tile), Poisoned(Tile));
                fixed (ushort* b = bits)
                fixed (short* z = zeros) fixed (float* s = scales, o = offsets) KernelTable.Of(width).ReadTileGroups(b, z, s, o);
                AssertRead(metas, scales, offsets);
            }
    }

    [Fact]
    public void Read_IsTheCodec_AtEveryWidth()
    {
        foreach (var width in Simd.Supported)
            foreach (var count in (int[])[Tile, 5 * Tile, Metas.Length / Tile * Tile])
            {
                var (scales, offsets) = (Poisoned(count), Poisoned(count));
                fixed (GroupMeta* m = Metas) fixed (float* s = scales, o = offsets) KernelTable.Of(width).ReadGroups(m, count, s, o);
                AssertRead(Metas.AsSpan(0, count), scales, offsets);
            }
    }

    // Equal numbers: an offset of zero may have either sign, which a product with a code and a sum do not show.
    private static void AssertRead(ReadOnlySpan<GroupMeta> metas, float[] scales, float[] offsets)
    {
        for (var i = 0; i < metas.Length; i++)
        {
            Assert.Equal(metas[i].Scale, scales[i]);
            Assert.Equal(metas[i].Offset, offsets[i]);
        }
        Assert.Equal(Poison, scales[^1]);
        Assert.Equal(Poison, offsets[^1]);
    }

    private static float[] Poisoned(int count) => [.. Enumerable.Repeat(Poison, count + 1)];
}
