using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Engine.Checkpoints;

/// <summary>
/// Random bf16 weights of an architecture, each tensor made when it is asked for and given back when it is uploaded. Matrices have
/// a deviation of 1/√K, so that activations keep their size from layer to layer; gains are 1, biases have a deviation of 0.02.
/// No token ends a generation, so that its length is what was asked for.
/// </summary>
/// <param name="source">What messages call it.</param>
/// <param name="config">Architecture.</param>
/// <param name="seed">Seed of all tensors.</param>
internal sealed unsafe class RandomCheckpoint(string source, ModelConfig config, ulong seed)
    : ArchitectureCheckpoint(source, config with { EosIds = [], StoredType = DType.BF16, Quantization = null })
{
    private const float BiasDeviation = 0.02f;
    private const int ElementsPerTask = 1 << 16;

    /// <inheritdoc/>
    public override HostTensor Get(string name) => Get(name, new MemoryLedger());

    /// <inheritdoc/>
    public override HostTensor Get(string name, MemoryLedger staging)
    {
        var shape = Shape(name);
        var count = Count(shape);
        var buffer = new NativeBuffer(staging, MemoryCategory.Workspace, ByteCount(count));
        var (center, deviation) = (shape.Length, name.EndsWith(".bias", StringComparison.Ordinal)) switch
        {
            (2, _) => (0f, 1 / MathF.Sqrt(shape[1])),
            (_, true) => (0f, BiasDeviation),
            _ => (1f, 0f),
        };
        var values = new RandomValues(seed, name, center, deviation);
        var tasks = (count + ElementsPerTask - 1) / ElementsPerTask;
        Parallel.For(0, tasks, task =>
        {
            var first = task * ElementsPerTask;
            values.Fill(first, new Span<ushort>(buffer.As<ushort>() + first, (int)Math.Min(ElementsPerTask, count - first)));
        });
        return new(Source, name, TensorType.BF16, [.. shape.Select(length => (long)length)], buffer);
    }

    /// <inheritdoc/>
    public override StoredWeight Stored(string name) => new(WeightFormat.BF16, StagingBytes: ByteCount(Count(Shape(name))));

    private static long Count(int[] shape) => shape.Aggregate(1L, (product, length) => product * length);

    private static long ByteCount(long elements) => elements * sizeof(ushort);
}
