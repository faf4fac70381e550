using KvPareto.Cpu.Kernels;

namespace KvPareto.Cpu.Storage.Schemes;

/// <summary>
/// A granularity with its own scale and zero point for every token (and group of channels). The scheme says how a token is coded and
/// where the tiles' scales and zero points lie; <see cref="TokenKeys"/> and <see cref="TokenValues"/> do the rest.
/// </summary>
/// <param name="bits">2, 4 or 8.</param>
/// <param name="headDim">D.</param>
/// <param name="group">Channels of a group.</param>
internal abstract unsafe class TokenScheme(int bits, int headDim, int group)
{
    /// <summary>Bits of a code.</summary>
    public int Bits { get; } = bits;

    /// <summary>D.</summary>
    public int HeadDim { get; } = headDim;

    /// <summary>Channels of a group.</summary>
    public int Group { get; } = group;

    /// <summary>Groups of a token.</summary>
    public int Groups => HeadDim / Group;

    /// <summary>Bytes for each tile beside its codes, in the head's own memory.</summary>
    public abstract int HeadTileBytes { get; }

    /// <summary>Bytes for each tile that the layer's heads share.</summary>
    public abstract int LayerTileBytes { get; }

    /// <summary>See <see cref="TokenStore.BeginAppend"/>; <paramref name="layer"/> is the shared memory, with room for tokens below
    /// <paramref name="capacity"/>.</summary>
    public virtual void BeginAppend(byte* layer, int capacity, int start, int count, float* rows, int width, int stride) { }

    /// <summary>Codes one token, one byte a code, and writes its scales and zero points.</summary>
    /// <param name="scales">Of its tile, [G, 16] f16 bits.</param>
    /// <param name="zeros">Of its tile, [G, 16].</param>
    /// <param name="token">Token within the tile.</param>
    /// <param name="row">[D].</param>
    /// <param name="codes">[D].</param>
    public abstract void Encode(ushort* scales, short* zeros, int token, float* row, byte* codes);

    /// <summary>Scales [G, 16] and after them zero points [G, 16] of a tile.</summary>
    /// <param name="headTile">The tile's bytes beside its codes.</param>
    /// <param name="layer">The shared memory.</param>
    /// <param name="tile">Which tile.</param>
    public abstract ushort* Scales(byte* headTile, byte* layer, int tile);

    /// <summary>The zero points that follow scales.</summary>
    public short* Zeros(ushort* scales) => (short*)scales + Groups * KvTile.Tokens;
}
