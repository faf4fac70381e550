using System.Runtime.Intrinsics;
using System.Text;

namespace KvPareto.Engine.Model;

/// <summary>
/// The values of one random tensor, bf16. Element i is a function of seed, name and i alone: the four 16-bit parts of
/// SplitMix64's output for counter i (Steele, Lea and Flood, OOPSLA 2014) are summed, which is nearly normal, and scaled.
/// </summary>
/// <param name="seed">Seed of the model.</param>
/// <param name="name">The tensor's name.</param>
/// <param name="center">Mean.</param>
/// <param name="deviation">Standard deviation.</param>
internal readonly struct RandomValues(ulong seed, string name, float center, float deviation)
{
    private const ulong Increment = 0x9E3779B97F4A7C15;
    private const ulong FirstFactor = 0xBF58476D1CE4E5B9;
    private const ulong SecondFactor = 0x94D049BB133111EB;
    private const int SumCenter = 2 * ushort.MaxValue;
    private const float SumDeviation = 37837.227f; // √(4·(2^32 − 1)/12)

    private readonly ulong _key = Mix(seed + Mix(Hash(name)));
    private readonly float _scale = deviation / SumDeviation;

    /// <summary>Element <paramref name="index"/>: the definition.</summary>
    public ushort At(long index)
    {
        var bits = Mix(_key + (ulong)index * Increment);
        var sum = (int)((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48));
        var value = BitConverter.SingleToUInt32Bits((sum - SumCenter) * _scale + center);
        return (ushort)((value + 0x7fff + (value >> 16 & 1)) >> 16);
    }

    /// <summary>Elements <paramref name="first"/> and those after it.</summary>
    public void Fill(long first, Span<ushort> destination)
    {
        var step = Vector256<ushort>.Count;
        var i = 0;
        for (; i <= destination.Length - step; i += step)
        {
            var (low, high) = (Eight(first + i), Eight(first + i + step / 2));
            Vector256.Narrow(low, high).CopyTo(destination[i..]);
        }
        for (; i < destination.Length; i++) destination[i] = At(first + i);
    }

    private Vector256<uint> Eight(long index)
    {
        var sums = Vector256.Narrow(FourSums(index), FourSums(index + 4)).AsInt32();
        var values = Vector256.ConvertToSingle(sums - Vector256.Create(SumCenter)) * _scale + Vector256.Create(center);
        var bits = values.AsUInt32();
        return (bits + Vector256.Create(0x7fffu) + (bits >> 16 & Vector256<uint>.One)) >> 16;
    }

    private Vector256<ulong> FourSums(long index)
    {
        var first = _key + (ulong)index * Increment;
        var z = unchecked(Vector256.Create(first, first + Increment, first + 2 * Increment, first + 3 * Increment));
        z = (z ^ z >> 30) * FirstFactor;
        z = (z ^ z >> 27) * SecondFactor;
        z ^= z >> 31;
        var part = Vector256.Create(0xfffful);
        return (z & part) + (z >> 16 & part) + (z >> 32 & part) + (z >> 48);
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ z >> 30) * FirstFactor;
        z = (z ^ z >> 27) * SecondFactor;
        return z ^ z >> 31;
    }

    // FNV-1a, since a string's own hash differs from process to process.
    private static ulong Hash(string text)
    {
        var hash = 0xCBF29CE484222325;
        foreach (var value in Encoding.UTF8.GetBytes(text)) hash = (hash ^ value) * 0x100000001B3;
        return hash;
    }
}
