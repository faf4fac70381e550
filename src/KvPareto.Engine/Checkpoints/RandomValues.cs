using System.Runtime.Intrinsics;

namespace KvPareto.Engine.Checkpoints;

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
    private const int SumCenter = 2 * ushort.MaxValue;
    private const float SumDeviation = 37837.227f; // √(4·(2^32 − 1)/12)

    private readonly ulong _key = SplitMix64.Mix(seed + SplitMix64.Mix(SplitMix64.Hash(name)));
    private readonly float _scale = deviation / SumDeviation;

    /// <summary>Element <paramref name="index"/>: the definition.</summary>
    public ushort At(long index)
    {
        var bits = SplitMix64.Mix(_key + (ulong)index * SplitMix64.Increment);
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
        var first = _key + (ulong)index * SplitMix64.Increment;
        var z = unchecked(
            Vector256.Create(first, first + SplitMix64.Increment, first + 2 * SplitMix64.Increment, first + 3 * SplitMix64.Increment));
        z = (z ^ z >> 30) * SplitMix64.FirstFactor;
        z = (z ^ z >> 27) * SplitMix64.SecondFactor;
        z ^= z >> 31;
        var part = Vector256.Create(0xfffful);
        return (z & part) + (z >> 16 & part) + (z >> 32 & part) + (z >> 48);
    }
}
