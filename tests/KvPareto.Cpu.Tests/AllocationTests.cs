using KvPareto.Engine.Cache;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Tests;

/// <summary>"No op allocates", as <see cref="Backend"/> says: a token's ops give the collector nothing to do.</summary>
public unsafe class AllocationTests
{
    private const int Width = 64;
    private const int Tokens = 400; // more than one split of a context

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void TokenOps_AllocateNothing(int workers)
    {
        using var backend = new CpuBackend(workers);
        var geometry = new KvGeometry(2, 1, Width / 2, [0]);
        using var cache = backend.CreateCache(geometry, KvSpec.Full, Tokens);
        using var workspace = backend.CreateWorkspace(new(1, Tokens, geometry, AttentionKernel.Flash));
        using Weight gain = Upload(1), query = Upload(Width), key = Upload(Width / 2), value = Upload(Width / 2);
        Weight[] weights = [query, key, value];
        var (x, h, g, u) = (Alloc(Width), Alloc(Width), Alloc(Width), Alloc(Width));
        Tensor[] qkv = [Alloc(Width), Alloc(Width / 2), Alloc(Width / 2)];
        var table = new RopeTable(new float[Width / 4]);
        foreach (var isFirst in (bool[])[true, false])
        {
            cache.Reset();
            for (var token = 0; token < Tokens; token++)
            {
                // The first time makes what bodies of loops and lists of workers are kept in.
                var allocated = Run(backend.Begin(workspace, [0], [token], cache));
                if (!isFirst) Assert.Equal(0, allocated);
            }
        }
        foreach (var tensor in (Tensor[])[x, h, g, u, .. qkv]) tensor.Buffer.Dispose();

        long Run(Step step)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            backend.NormLinear(x, gain, 1e-5f, h, weights, qkv);
            backend.RopeAttention(step, 0, qkv[0], qkv[1], qkv[2], g, table);
            backend.LinearAdd(g, query, h, x);
            backend.NormGated(x, gain, 1e-5f, h, query, query, g, u);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Tensor Alloc(int columns)
        {
            var tensor = backend.Alloc(DType.F32, 1, columns);
            backend.Write(new float[columns], tensor);
            return tensor;
        }

        Weight Upload(int rows)
        {
            fixed (float* data = new float[rows * Width]) return backend.Upload(new HostWeight("w", WeightFormat.F32, rows, Width, data));
        }
    }
}
