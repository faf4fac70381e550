namespace KvPareto.Cpu.Storage;

/// <summary>Where one head's tokens of one store lie.</summary>
/// <param name="head">First byte of the head.</param>
/// <param name="layer">First byte of what all heads of the layer share.</param>
internal readonly unsafe struct StorePlace(byte* head, byte* layer)
{
    /// <summary>First byte of the head.</summary>
    public byte* Head { get; } = head;

    /// <summary>First byte of what all heads of the layer share.</summary>
    public byte* Layer { get; } = layer;
}
