namespace KvPareto.Engine.Rotary;

/// <summary>
/// Rotary frequencies of one model. Cosines and sines are computed for the positions of a step, not kept for all positions:
/// at 128k positions a table would take more memory than a 2-bit cache saves.
/// </summary>
public sealed class RopeTable
{
    private volatile Chosen? _chosen;

    /// <summary>Wraps frequencies computed elsewhere.</summary>
    /// <param name="inverseFrequencies">One a pair: pair i of a head turns by position · this[i].</param>
    /// <param name="attentionScale">Factor on cosine and sine (YaRN's and longrope's; else 1).</param>
    /// <param name="headDim">D; null where all of a head's channels turn.</param>
    public RopeTable(float[] inverseFrequencies, float attentionScale = 1, int? headDim = null)
    {
        (InverseFrequencies, AttentionScale, HeadDim) = (inverseFrequencies, attentionScale, headDim ?? 2 * inverseFrequencies.Length);
    }

    /// <summary>One a pair, up to D/2.</summary>
    public float[] InverseFrequencies { get; }

    /// <summary>Factor on cosine and sine.</summary>
    public float AttentionScale { get; }

    /// <summary>D.</summary>
    public int HeadDim { get; }

    /// <summary>Channels of a head that turn, its first; the others stay as they are.</summary>
    public int TurnedChannels => 2 * InverseFrequencies.Length;

    /// <summary>What a configuration says of them; null where none of its words do.</summary>
    public RopeForm? Form { get; init; }

    /// <summary>Frequencies of a run of more positions than <see cref="Positions"/>; null where they are the same for all.</summary>
    public Func<int, RopeTable>? Longer { get; init; }

    /// <summary>Longest run that these frequencies are for, where <see cref="Longer"/> has others.</summary>
    public int Positions { get; init; } = int.MaxValue;

    /// <summary>
    /// The frequencies of a run that has room for <paramref name="positions"/> tokens. The choice is made once, by the prompt and the new
    /// tokens planned: keys in the cache were turned by it.
    /// </summary>
    public RopeTable For(int positions)
    {
        if (Longer is null || positions <= Positions) return this;
        if (_chosen is { } chosen && chosen.Positions == positions) return chosen.Table;
        var table = Longer(positions);
        // Runs of the same frequencies have the same table.
        if (_chosen is { } last && last.Table.InverseFrequencies.AsSpan().SequenceEqual(table.InverseFrequencies)) table = last.Table;
        _chosen = new(positions, table);
        return table;
    }

    /// <summary>What the heads of tokens turn by, [T, <see cref="TurnedChannels"/>]: cosines and then sines, times
    /// <see cref="AttentionScale"/>. Angles are f32, as the reference has them; their sines and cosines are computed in f64.</summary>
    public void Turns(ReadOnlySpan<int> positions, Span<float> turns)
    {
        var half = InverseFrequencies.Length;
        foreach (var position in positions)
        {
            for (var i = 0; i < half; i++)
            {
                var (sin, cos) = Math.SinCos(position * InverseFrequencies[i]);
                (turns[i], turns[half + i]) = ((float)cos * AttentionScale, (float)sin * AttentionScale);
            }
            turns = turns[(2 * half)..];
        }
    }

    /// <summary>The same for heads of <paramref name="headDim"/> channels, of which only the first turn.</summary>
    internal RopeTable Within(int headDim) => headDim == HeadDim ? this : new(InverseFrequencies, AttentionScale, headDim)
    {
        Form = Form,
        Positions = Positions,
        Longer = Longer is { } longer ? positions => longer(positions).Within(headDim) : null,
    };

    private sealed record Chosen(int Positions, RopeTable Table);
}
