using System.Runtime.CompilerServices;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Settings;

namespace KvPareto.Cuda.Tests;

/// <summary>What needs no device: sizes that kernels and host must agree on, and where a cache's parts lie.</summary>
public class LayoutTests
{
    private const int Capacity = 512;

    private static readonly KvGeometry Geometry = new(4, 2, 64, [0, 0, 0]);

    /// <summary>The kernels assert the same sizes when they are compiled.</summary>
    [Fact]
    public void Structures_HaveTheSizesThatTheKernelsAssert() => Assert.Equal(
        (16, 32, 96, 216, 96, 136, 64, 248),
        (Unsafe.SizeOf<Matrix>(), Unsafe.SizeOf<WeightRows>(), Unsafe.SizeOf<Side>(), Unsafe.SizeOf<LayerCache>(),
            Unsafe.SizeOf<AppendArguments>(),
            Unsafe.SizeOf<AttentionArguments>(), Unsafe.SizeOf<LinearPart>(), Unsafe.SizeOf<LinearArguments>()));

    [Fact]
    public void StructuresOfManyRows_HaveTheSizesThatTheKernelsAssert() => Assert.Equal(
        (128, 192, 1472, 48, 384, 536),
        (Unsafe.SizeOf<TensorMap>(), Unsafe.SizeOf<ManyPart>(), Unsafe.SizeOf<ManyArguments>(), Unsafe.SizeOf<StretchArguments>(),
            Unsafe.SizeOf<TurnArguments>(), Unsafe.SizeOf<TokenArguments>()));

    [Fact]
    public void StructuresOfElements_HaveTheSizesThatTheKernelsAssert() => Assert.Equal(
        (64, 48, 576, 40, 32, 48),
        (Unsafe.SizeOf<EmbedArguments>(), Unsafe.SizeOf<NormArguments>(), Unsafe.SizeOf<RopeArguments>(), Unsafe.SizeOf<PairArguments>(),
            Unsafe.SizeOf<BiasArguments>(), Unsafe.SizeOf<UnpackArguments>()));

    [Theory]
    [InlineData(64, true)]
    [InlineData(256, true)]
    [InlineData(24, false)]
    [InlineData(272, false)]
    public void HeadsThatTheKernelsAreNotFor_AreRefused(int headDim, bool fits)
    {
        var error = Record.Exception(() => new CudaMemoryLayout().Check(new KvGeometry(4, 2, headDim, [0]), KvSpec.Full));
        Assert.Equal(fits ? null : $"device cuda: the model's head_dim is {headDim}; allowed: a multiple of 16 up to 256", error?.Message);
    }

    /// <summary>Four times a small weight as bf16 for the library, the weight as bf16 where it is stored otherwise, 256 rows of inputs;
    /// bounds for large ones.</summary>
    [Theory]
    [InlineData("BF16", 256, 128, 4 * 65_536, 0, 65_536)]
    [InlineData("W4", 250, 128, 4 * 64_000, 65_536, 65_536)]
    [InlineData("BF16", 4096, 4096, 16 << 20, 0, 2 << 20)]
    [InlineData("W8", 28_672, 4096, 16 << 20, 48 << 20, 2 << 20)]
    [InlineData("W4", 4096, 14_336, 16 << 20, 1728 * 28_672, 256 * 28_672)]
    [InlineData("F32", 1, 4096, 0, 0, 0)]
    public void ScratchOfProducts_GrowsWithTheWeight(string stored, int outputs, int inputs, long workspace, long strip, long converted) =>
        Assert.Equal(
            new ProductLayout(workspace, strip, converted, workspace == 0 ? 0 : inputs * sizeof(ushort)),
            ProductLayout.Of(Enum.Parse<CudaWeight.StoredKind>(stored), outputs, inputs));

    /// <summary>Strips become narrower first, down to one tile of outputs, then there are fewer rows of inputs, down to one.</summary>
    [Theory]
    [InlineData(80 << 20, 1728 * 28_672, 256 * 28_672)]
    [InlineData((16 << 20) + (1000 + 256) * 28_672, 1000 * 28_672, 256 * 28_672)]
    [InlineData((16 << 20) + (64 + 100) * 28_672, 64 * 28_672, 100 * 28_672)]
    [InlineData((16 << 20) + (64 + 1) * 28_672, 64 * 28_672, 28_672)]
    public void ScratchOfProducts_CanDoWithLess(long bytes, long strip, long converted)
    {
        var whole = ProductLayout.Of(CudaWeight.StoredKind.W4, 4096, 14_336);
        var less = whole.Within(bytes);
        Assert.Equal(whole with { Strip = strip, Inputs = converted }, less);
        Assert.InRange(less.ByteCount, whole.LeastByteCount, bytes);
    }

    /// <summary>Without strips the library's workspace goes last, and may go whole.</summary>
    [Theory]
    [InlineData((16 << 20) + 100 * 22_016, 16 << 20, 100 * 22_016)]
    [InlineData(1 << 20, (1 << 20) - 22_016, 22_016)]
    [InlineData(22_016, 0, 22_016)]
    public void ScratchOfProductsWithoutStrips_CanDoWithLess(long bytes, long workspace, long converted)
    {
        var whole = ProductLayout.Of(CudaWeight.StoredKind.BF16, 2048, 11_008);
        var less = whole.Within(bytes);
        Assert.Equal(whole with { Workspace = workspace, Inputs = converted }, less);
        Assert.InRange(less.ByteCount, whole.LeastByteCount, bytes);
    }

    /// <summary>Chunks of 256 tokens of the models' widths, up to four: what products would rather keep goes where all four find room
    /// without it.</summary>
    [Theory]
    [InlineData("BF16", 2048, 11_008, 4)]  // Qwen2.5-3B
    [InlineData("BF16", 2048, 8192, 4)]    // Llama-3.2-1B
    [InlineData("BF16", 4096, 14_336, 2)]  // Llama-3.1-8B
    [InlineData("W4", 4096, 14_336, 4)]
    [InlineData("W4", 8192, 28_672, 3)]    // Llama-3.1-70B
    public void ChunksTogether_AreAsManyAsFindRoom(string stored, int hidden, int inner, int expected)
    {
        const int Tokens = 256, Most = 4;
        const long Kept = ManyKernel.MostPartBytes * 66;
        var layout = ProductLayout.Of(Enum.Parse<CudaWeight.StoredKind>(stored), hidden, inner); // down's, the largest
        var (step, piece) = (Tokens * (6L * hidden + 4L * inner), Tokens * (6L * hidden + 2L * inner));
        Assert.Equal(expected, ProductScratch.Pieces(
            layout.ByteCount + step, layout.LeastByteCount, Math.Min(layout.ByteCount, Kept), piece, Most));
    }

    /// <summary>Chunks may be one append where none of their ends bears on a scale, or on what stays at 16 bits.</summary>
    [Theory]
    [InlineData("w16a16-k16v16", 100, 50, true)]
    [InlineData("w16a16-k4v4-t64", 100, 50, true)]
    [InlineData("w16a16-k4v4-t64-rotkv-edge1", 100, 50, true)]
    [InlineData("w16a16-k4v4-kch32-vt64", 96, 64, true)]
    [InlineData("w16a16-k4v4-kch32-vt64", 96, 50, false)]
    [InlineData("w16a16-k4v4-kch32-vt64", 100, 64, false)]
    [InlineData("w16a16-k4v4-b16", 96, 64, true)]
    [InlineData("w16a16-k4v4-b16", 96, 50, false)]
    [InlineData("w16a16-k4v4-tensor", 64, 64, false)]
    [InlineData("w16a16-k4v4-pow2", 64, 64, false)]
    [InlineData("w16a16-k4v4-t64-smooth", 64, 64, false)]
    [InlineData("w16a16-k4v4-t64-sink4", 64, 64, false)]
    [InlineData("w16a16-k4v4-t64-recent64", 64, 64, false)]
    public void ChunksAreOneAppend_WhereThatMakesNoDifference(string name, int start, int chunk, bool expected) => Assert.Equal(
        expected, new CudaKvLayout(Geometry, InferenceSetting.Parse(name).Cache, Capacity).TakesAsOne(start, chunk));

    /// <summary>A row of 14,336 columns fits the least that a device of these capabilities has, 99 KiB.</summary>
    [Theory]
    [InlineData(16, 32, false)]
    [InlineData(8, 64, false)]
    [InlineData(4, 128, false)]
    public void ARow_FitsSmallDevices(int bits, int unit, bool isWide)
    {
        const int Columns = 14_336, SharedBytes = (99 << 10) - 256;
        var kernel = new FewKernel("", bits, unit, isWide);
        Assert.True(kernel.SharedBytes(1, Columns, kernel.Batch(1, Columns, SharedBytes), SharedBytes) <= SharedBytes);
    }

    /// <summary>Eight rows take one pass over a weight where a block has 227 KiB.</summary>
    [Theory]
    [InlineData(16, 32, 4096)]
    [InlineData(16, 32, 11_008)]
    [InlineData(16, 32, 14_336)]
    [InlineData(8, 64, 14_336)]
    [InlineData(8, 32, 8192)]
    [InlineData(4, 128, 4096)]
    [InlineData(4, 128, 11_008)]
    [InlineData(4, 128, 14_336)]
    [InlineData(4, 64, 14_336)]
    [InlineData(4, 32, 14_336)]
    public void EightRows_TakeOnePass(int bits, int unit, int columns)
    {
        const int SharedBytes = (227 << 10) - 512;
        var kernel = new FewKernel("", bits, unit).For(FewKernel.MostRows, columns, areElements: true, SharedBytes)!.Value;
        if (kernel.MostRowsOfPass(columns, SharedBytes) < FewKernel.MostRows)
            kernel = kernel.InChunks(FewKernel.MostRows, columns, batch: 1, SharedBytes);
        Assert.True(kernel.SharedBytes(FewKernel.MostRows, columns, 1, SharedBytes) <= SharedBytes, kernel.ToString());
    }

    /// <summary>Where a kernel takes one row, one takes any number of them, so that each has the bits that it has alone; a block has as much
    /// shared memory as there is.</summary>
    [Theory]
    [InlineData(16, 32, 99)]
    [InlineData(8, 64, 99)]
    [InlineData(8, 32, 99)]
    [InlineData(4, 128, 99)]
    [InlineData(4, 64, 99)]
    [InlineData(4, 32, 99)]
    [InlineData(16, 32, 227)]
    [InlineData(8, 32, 227)]
    [InlineData(4, 128, 227)]
    public void Rows_HaveAKernelWhereOneHas(int bits, int unit, int blockKiB)
    {
        var device = (blockKiB << 10) - 512;
        foreach (var isWide in new[] { false, bits == 16 })
        {
            for (var columns = 1024; columns <= 65_536; columns += 1024)
            {
                var one = new FewKernel("", bits, unit, isWide).For(1, columns, areElements: false, device);
                for (var rows = 2; rows <= FewKernel.MostRows; rows++)
                {
                    var kernel = new FewKernel("", bits, unit, isWide).For(rows, columns, areElements: false, device);
                    Assert.Equal(one is null, kernel is null);
                    if (kernel is not { } some) continue;
                    if (some.MostRowsOfPass(columns, device) < rows) some = some.InChunks(rows, columns, batch: 2, device);
                    var ofPass = some.Chunks > 1 ? rows : Math.Min(rows, some.MostRowsOfPass(columns, device));
                    Assert.InRange(ofPass, 1, rows);
                    Assert.InRange(some.SharedBytes(ofPass, columns, some.Chunks > 1 ? 2 : 1, device), 1, device);
                }
            }
        }
    }

    /// <summary>
    /// A multiprocessor has room for its share of the blocks, and for no other block beside them. What kernels have of their own is what
    /// the assembler reports of linear.cu: sums of squares of eight warps, or of sixteen, for eight rows.
    /// </summary>
    [Theory]
    [InlineData(16, 32, 228, 227, 256)]
    [InlineData(8, 64, 228, 227, 512)]
    [InlineData(4, 128, 228, 227, 512)]
    [InlineData(16, 32, 100, 99, 256)]
    [InlineData(4, 128, 100, 99, 256)]
    public void Blocks_AreEvenlySpread(int bits, int unit, int multiprocessorKiB, int blockKiB, int own)
    {
        const int Unit = 128, Reserved = 1024, MostOwn = 512;
        var (multiprocessor, device) = (multiprocessorKiB << 10, (blockKiB << 10) - MostOwn);
        var kernel = new FewKernel("", bits, unit);
        foreach (var each in new[] { 1, 2 })
        {
            var bytes = kernel.EvenSharedBytes(each, multiprocessor, device);
            var taken = (bytes + own + Reserved + Unit - 1) / Unit * Unit;
            Assert.Equal(taken, kernel.BlockBytes(bytes, device));
            Assert.True(each * taken <= multiprocessor && (each + 1) * taken > multiprocessor, $"{each} of {taken} in {multiprocessor}");
        }
    }

    /// <summary>Bytes of one layer's keys and values for two heads of 64 channels: codes, entries of four bytes, rows at 16 bits.</summary>
    [Theory]
    [InlineData("k16v16", 2 * 2 * 512 * 128)]
    [InlineData("k32v16", 2 * 512 * (256 + 128))]
    [InlineData("k4v2-t32", 2 * 512 * (32 + 8 + 16 + 8))]
    [InlineData("k8v8-tensor", 2 * 2 * 512 * 64 + 2 * 512 * 4)]
    [InlineData("k4v4-kch32-vb16", 2 * 512 * (32 + 32) + 2 * (16 * 64 + 32) * 4 + 2 * (31 + 15) * 128)]
    [InlineData("k2v2-pow2", 2 * 2 * (512 * 16 + 64 * 4))]
    [InlineData("k4v4-t64-sink4-recent12", 2 * 2 * ((512 - 16) * (32 + 4) + 16 * 128))]
    public void Layers_TakeWhatTheirSchemeSays(string name, int bytes)
    {
        var spec = InferenceSetting.Parse("w16a16-" + name).Cache;
        var layout = new CudaKvLayout(Geometry, spec, Capacity);
        Assert.Equal(3L * bytes, layout.ByteCount);
        var layers = Enumerable.Range(0, 3).Select(layer => layout.At(0, layer, spec)).ToArray();
        Assert.Equal([0, bytes, 2 * bytes], layers.Select(layer => (int)layer.Keys.Codes));
        Assert.All(layers, layer =>
            Assert.True(layer.Keys.Groups <= layer.Values.Codes && layer.Values.Groups % 16 == 0 && layer.Means == 0));
    }

    /// <summary>Which codes one token's attention takes straight from memory.</summary>
    [Theory]
    [InlineData("k16v16", true, true)]
    [InlineData("k32v32", false, false)]
    [InlineData("k8v2-t64", true, true)]
    [InlineData("k4v4-kt32-vt16", true, false)]
    [InlineData("k4v4-kch32-vb16", true, true)]
    [InlineData("k4v4-ch64", true, false)]
    [InlineData("k2v2-kpow2-vtensor", true, true)]
    public void Codes_AreDirect(string name, bool keys, bool values)
    {
        var layout = new CudaKvLayout(Geometry, InferenceSetting.Parse("w16a16-" + name).Cache, Capacity);
        Assert.Equal((keys, values), (layout.Keys[0].Codes.AreDirectKeys, layout.Values[0].Codes.AreDirectValues));
    }

    [Fact]
    public void MeansAndBias_LieBehindTheirLayers()
    {
        var spec = InferenceSetting.Parse("w16a16-k4v4-t64-smooth-prebias").Cache;
        var plain = new CudaKvLayout(Geometry, spec with { SmoothKeys = false, PreBiasKeys = false }, Capacity).ByteCount;
        var layout = new CudaKvLayout(Geometry, spec, Capacity);
        Assert.Equal(plain + 3 * 2 * 64 * 2 + 3 * 2 * 64 * 4 + Capacity * 64 * 4, layout.ByteCount);
        var last = layout.At(0, 2, spec);
        Assert.Equal((layout.TurnsAt, layout.BiasAt(2)), (last.Turns, last.Bias));
        Assert.True(last.Means > last.Values.Codes && last.Means < last.Bias);
    }
}
