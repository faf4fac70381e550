using System.Text;

namespace KvPareto.Engine;

/// <summary>
/// Seeded 64-bit generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014). Own code, so that
/// a seed gives the same numbers on every version of .NET.
/// </summary>
public struct SplitMix64(ulong seed)
{
    /// <summary>What the state grows by with every number.</summary>
    internal const ulong Increment = 0x9E3779B97F4A7C15;

    /// <summary>First factor of <see cref="Mix"/>.</summary>
    internal const ulong FirstFactor = 0xBF58476D1CE4E5B9;

    /// <summary>Second factor of <see cref="Mix"/>.</summary>
    internal const ulong SecondFactor = 0x94D049BB133111EB;

    private ulong _state = seed;

    /// <summary>The next 64 bits.</summary>
    public ulong Next() => Mix(_state += Increment);

    /// <summary>A number from 0 to <paramref name="bound"/> − 1.</summary>
    public int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>Puts the elements into a uniformly random order (Fisher and Yates).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var last = items.Length - 1; last > 0; last--)
        {
            var other = Below(last + 1);
            (items[last], items[other]) = (items[other], items[last]);
        }
    }

    /// <summary>The generator's output function, which turns neighbouring seeds into unrelated ones.</summary>
    public static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * FirstFactor;
        value = (value ^ (value >> 27)) * SecondFactor;
        return value ^ (value >> 31);
    }

    /// <summary>FNV-1a over the text's UTF-8, to seed a stream by name: a string's own hash differs from process to process.</summary>
    public static ulong Hash(string text)
    {
        var hash = 0xCBF29CE484222325;
        foreach (var value in Encoding.UTF8.GetBytes(text)) hash = (hash ^ value) * 0x100000001B3;
        return hash;
    }
}
