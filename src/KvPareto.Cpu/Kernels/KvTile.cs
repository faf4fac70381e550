namespace KvPareto.Cpu.Kernels;

/// <summary>What kernels and stores of keys and values know of a tile.</summary>
internal static class KvTile
{
    /// <summary>Tokens of a tile.</summary>
    public const int Tokens = 16;

    /// <summary>How far ahead decoding asks for tiles. Measured on Zen 5, one core, f16 out of memory: 17 → 22 GB/s.</summary>
    public const int PrefetchBytes = 4096;
}
