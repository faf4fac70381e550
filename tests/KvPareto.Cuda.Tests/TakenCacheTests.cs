using KvPareto.Engine.Cache;
using KvPareto.Engine.Settings;

namespace KvPareto.Cuda.Tests;

/// <summary>What a cache takes over from one for another capacity, on images in host memory: no device is needed.</summary>
public unsafe class TakenCacheTests
{
    private static readonly KvGeometry Geometry = new(4, 2, 64, [0, 0, 0]);

    [Theory]
    [InlineData("k16v16")]
    [InlineData("k32v32")]
    [InlineData("k8v4-t32-smooth")]
    [InlineData("k4v2-kch32-vt32")]
    [InlineData("k2v4-kch64-vb32-sink6-recent20")]
    [InlineData("k4v4-b16-sink4-recent100")]
    [InlineData("k4v8-tensor-sink2")]
    [InlineData("k4v4-tensor-sink2-recent40")]
    [InlineData("k4v4-kpow2-vt64-sink3")]
    public void Taken_ReadsAsWhatItIsOf(string name)
    {
        var spec = InferenceSetting.Parse("w16a16-" + name).Cache;
        foreach (var length in new[] { 1, 5, 31, 32, 64, 128, 150, 192 })
        {
            foreach (var (made, taken) in new[] { (256, 200), (length + spec.RecentTokens, 400), (300, length + 1) })
            {
                if (made < length + spec.RecentTokens || taken < length) continue;
                var (from, to) = (new CudaKvLayout(Geometry, spec, made), new CudaKvLayout(Geometry, spec, taken));
                var (source, target) = (new byte[from.ByteCount], new byte[to.ByteCount]);
                new Random(length).NextBytes(source);
                var ends = new List<(long At, long End)>();
                foreach (var part in to.Taken(from, length))
                {
                    source.AsSpan((int)part.From, (int)part.Bytes).CopyTo(target.AsSpan((int)part.To, (int)part.Bytes));
                    if (part.Bytes > 0) ends.Add((part.To, part.To + part.Bytes));
                }
                ends.Sort();
                for (var i = 1; i < ends.Count; i++) Assert.True(ends[i - 1].End <= ends[i].At, $"{name} {length}: {ends[i - 1]} {ends[i]}");
                for (var layer = 0; layer < Geometry.LayerCount; layer++)
                    Assert.Equal(Read(from, source, spec, layer, length), Read(to, target, spec, layer, length));
            }
        }
    }

    /// <summary>Tokens that wait at 16 bits are coded by what their append shared.</summary>
    [Fact]
    public void Taken_HasTheEntriesOfTokensThatWait()
    {
        var spec = InferenceSetting.Parse("w16a16-k4v4-tensor-sink2-recent40").Cache;
        var (from, to) = (new CudaKvLayout(Geometry, spec, 100 + 40), new CudaKvLayout(Geometry, spec, 300));
        var (source, target) = (new byte[from.ByteCount], new byte[to.ByteCount]);
        new Random(3).NextBytes(source);
        foreach (var part in to.Taken(from, 100))
            source.AsSpan((int)part.From, (int)part.Bytes).CopyTo(target.AsSpan((int)part.To, (int)part.Bytes));
        fixed (byte* a = source, b = target)
        {
            for (var layer = 0; layer < Geometry.LayerCount; layer++)
            {
                var (theirs, ours) = (from.At((nint)a, layer, spec).Values, to.At((nint)b, layer, spec).Values);
                Assert.Equal(new Span<int>((void*)theirs.Groups, 98).ToArray(), new Span<int>((void*)ours.Groups, 98).ToArray());
            }
        }
    }

    private static int[] Read(CudaKvLayout layout, byte[] image, KvSpec spec, int layer, int length)
    {
        var width = Geometry.KvHeads * Geometry.HeadDim;
        var (keys, values) = (new float[length * width], new float[length * width]);
        fixed (byte* data = image)
        {
            new HostCacheReader(Geometry, spec, length).Read(
                layout.At((nint)data, layer, spec), (layout.Keys[layer].CodedEnd(length), layout.Values[layer].CodedEnd(length)), keys, values);
        }
        return [.. keys.Concat(values).Select(BitConverter.SingleToInt32Bits)];
    }
}
