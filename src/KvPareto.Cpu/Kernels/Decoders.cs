using System.Runtime.CompilerServices;

namespace KvPareto.Cpu.Kernels;

/// <summary>Vectors that turn codes into floats, in memory whose content the compiler does not know: a vector that it knows is not
/// kept in a register but read again for every code.</summary>
internal static unsafe class Decoders
{
    /// <summary>−8 … 7, for a permutation of 16 lanes.</summary>
    public static readonly float* Nibbles = Of([.. Enumerable.Range(-8, 16).Select(code => (float)code)]);

    /// <summary>16 masks of four bits.</summary>
    public static readonly float* NibbleMasks = Of(Masks(15));

    /// <summary>16 masks of eight bits.</summary>
    public static readonly float* ByteMasks = Of(Masks(255));

    private static float[] Masks(int mask) => [.. Enumerable.Repeat(BitConverter.Int32BitsToSingle(mask), 16)];

    private static float* Of(ReadOnlySpan<float> values)
    {
        var memory = (float*)RuntimeHelpers.AllocateTypeAssociatedMemory(typeof(Decoders), values.Length * sizeof(float));
        values.CopyTo(new(memory, values.Length));
        return memory;
    }
}
