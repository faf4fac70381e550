using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Storage.Schemes;

/// <summary>
/// A granularity whose scales hold for a block of tokens. The scheme says how many scales a block has and how they are found;
/// <see cref="TokenBlockKeys"/> and <see cref="TokenBlockValues"/> do the rest.
/// </summary>
/// <param name="bits">2, 4 or 8.</param>
/// <param name="headDim">D.</param>
/// <param name="blockTokens">Tokens of a block, a multiple of 16; <see cref="AllTokens"/> for all.</param>
internal abstract unsafe class TokenBlockScheme(int bits, int headDim, int blockTokens)
{
    /// <summary>One block from the first token to the last.</summary>
    public const int AllTokens = int.MaxValue;

    private readonly delegate*<GroupMeta*, int, float*, float*,
        void> _read = KernelTable.Of(Simd.WidestThat(null, width => headDim % width == 0)).ReadGroups;

    /// <summary>Bits of a code.</summary>
    public int Bits { get; } = bits;

    /// <summary>D.</summary>
    public int HeadDim { get; } = headDim;

    /// <summary>Tokens of a block.</summary>
    public int BlockTokens { get; } = blockTokens;

    /// <summary>Tokens that can only be coded together.</summary>
    public virtual int Granule => BlockTokens;

    /// <summary>Scales of a block: D, or 1 for all channels.</summary>
    public abstract int Scales { get; }

    /// <summary>Finds a block's scales from its rows [count, D].</summary>
    /// <param name="meta">[<see cref="Scales"/>].</param>
    /// <param name="rows">Rows.</param>
    /// <param name="count">Tokens.</param>
    /// <param name="stride">Elements from one row to the next.</param>
    public abstract void Fit(GroupMeta* meta, float* rows, int count, int stride);

    /// <summary>Whether the scales are found once, from the first append, and kept (else for each block as it is coded).</summary>
    public virtual bool FitsOnce => false;

    /// <summary>Codes of one row, one byte a code.</summary>
    public void Encode(GroupMeta* meta, float* row, byte* codes)
    {
        if (Scales == 1) GroupEncoder.Encode(row, HeadDim, *meta, Bits, codes);
        else for (var d = 0; d < HeadDim; d++) codes[d] = (byte)(GroupCodec.Encode(row[d], meta[d], Bits) - GroupCodec.MinCode(Bits));
    }

    /// <summary>Scale and offset of every channel: x̂ = q·scale + offset.</summary>
    public void Read(GroupMeta* meta, float* scales, float* offsets)
    {
        if (Scales > 1)
        {
            _read(meta, HeadDim, scales, offsets);
            return;
        }
        new Span<float>(scales, HeadDim).Fill(meta->Scale);
        new Span<float>(offsets, HeadDim).Fill(meta->Offset);
    }
}
