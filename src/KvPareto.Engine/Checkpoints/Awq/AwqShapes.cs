using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Engine.Checkpoints.Awq;

/// <summary>A checkpoint as it will be when its linear layers are packed by AWQ: names and shapes, for what needs no values.</summary>
/// <param name="plain">The checkpoint that is to be packed; stays the caller's.</param>
/// <param name="packing">How.</param>
public sealed class AwqShapes(Checkpoint plain, AwqConfig packing) : Checkpoint
{
    /// <inheritdoc/>
    public override ModelConfig Config { get; } = plain.Config with { Quantization = packing };

    /// <inheritdoc/>
    public override string Source => plain.Source;

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Names => plain.Names;

    /// <inheritdoc/>
    public override bool Contains(string name) => plain.Contains(name);

    /// <inheritdoc/>
    public override HostTensor Get(string name) => plain.Get(name);

    /// <inheritdoc/>
    public override HostTensor Get(string name, MemoryLedger staging) => plain.Get(name, staging);

    /// <inheritdoc/>
    public override StoredWeight Stored(string name)
    {
        var stored = plain.Stored(name);
        if (!BlockShape.IsBlocks(stored.Format)) return stored;
        var shape = plain.Get(name).Shape;
        return new(WeightFormat.F16, ReadingBytes: HostTensor.StagingOf(shape[0], shape[1] * sizeof(ushort)));
    }

    /// <inheritdoc/>
    public override void Dispose() { }
}
