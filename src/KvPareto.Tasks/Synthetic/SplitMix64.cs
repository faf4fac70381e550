namespace KvPareto.Tasks.Synthetic;

/// <summary>
/// The SplitMix64 generator (Steele, Lea and Flood, OOPSLA 2014). Own code, so that a seed gives the same samples on every
/// version of .NET.
/// </summary>
internal sealed class SplitMix64
{
    private ulong _state;

    /// <summary>A stream that is a function of all four values.</summary>
    public SplitMix64(ulong first, ulong second, ulong third, ulong fourth) => Reset(first, second, third, fourth);

    /// <summary>Starts another stream.</summary>
    public void Reset(ulong first, ulong second, ulong third, ulong fourth)
    {
        _state = Mix(first + 1);
        _state = Mix(_state ^ Mix(second + 2));
        _state = Mix(_state ^ Mix(third + 3));
        _state = Mix(_state ^ Mix(fourth + 4));
    }

    /// <summary>64 random bits.</summary>
    public ulong Next() => Mix(_state += 0x9E3779B97F4A7C15);

    /// <summary>Uniform in 0 … <paramref name="bound"/> − 1.</summary>
    public int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>Uniform in <paramref name="least"/> … <paramref name="most"/>, both included.</summary>
    public int Between(int least, int most) => least + Below(most - least + 1);

    /// <summary>One of the elements.</summary>
    public T Pick<T>(T[] choices) => choices[Below(choices.Length)];

    /// <summary>Puts the elements into a uniformly random order (Fisher and Yates).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var last = items.Length - 1; last > 0; last--)
        {
            var other = Below(last + 1);
            (items[last], items[other]) = (items[other], items[last]);
        }
    }

    /// <summary>Fills <paramref name="hand"/> with <paramref name="deck"/> in random order, whatever it held before.</summary>
    public void Deal<T>(T[] deck, T[] hand)
    {
        deck.CopyTo(hand, 0);
        Shuffle(hand.AsSpan());
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
