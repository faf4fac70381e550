using KvPareto.Engine;

namespace KvPareto.Tasks;

/// <summary>The stream of random choices that a sample is made by.</summary>
internal sealed class SampleRandom
{
    private SplitMix64 _stream;

    /// <summary>A stream that is a function of all four values.</summary>
    public SampleRandom(ulong first, ulong second, ulong third, ulong fourth) => Reset(first, second, third, fourth);

    /// <summary>Starts another stream.</summary>
    public void Reset(ulong first, ulong second, ulong third, ulong fourth)
    {
        var state = SplitMix64.Mix(first + 1);
        state = SplitMix64.Mix(state ^ SplitMix64.Mix(second + 2));
        state = SplitMix64.Mix(state ^ SplitMix64.Mix(third + 3));
        _stream = new(SplitMix64.Mix(state ^ SplitMix64.Mix(fourth + 4)));
    }

    /// <summary>64 random bits.</summary>
    public ulong Next() => _stream.Next();

    /// <summary>Uniform in 0 … <paramref name="bound"/> − 1.</summary>
    public int Below(int bound) => _stream.Below(bound);

    /// <summary>Uniform in 0 … 1, 1 excluded.</summary>
    public double Share() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in <paramref name="least"/> … <paramref name="most"/>, both included.</summary>
    public int Between(int least, int most) => least + Below(most - least + 1);

    /// <summary>One of the elements.</summary>
    public T Pick<T>(T[] choices) => choices[Below(choices.Length)];

    /// <summary>Puts the elements into a uniformly random order (Fisher and Yates).</summary>
    public void Shuffle<T>(Span<T> items) => _stream.Shuffle(items);

    /// <summary>Fills <paramref name="hand"/> with <paramref name="deck"/> in random order, whatever it held before.</summary>
    public void Deal<T>(T[] deck, T[] hand)
    {
        deck.CopyTo(hand, 0);
        Shuffle(hand);
    }
}
