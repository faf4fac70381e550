namespace KvPareto.Engine.Rotary;

/// <summary>
/// Rotary frequencies of one model. Cosines and sines are computed for the positions of a step, not kept for all positions:
/// at 128k positions a table would take more memory than a 2-bit cache saves.
/// </summary>
public sealed class RopeTable
{
    /// <summary>Wraps frequencies computed elsewhere.</summary>
    /// <param name="inverseFrequencies">[D/2]; pair i of a head turns by position · this[i].</param>
    /// <param name="attentionScale">Factor on cosine and sine (YaRN's; else 1).</param>
    public RopeTable(float[] inverseFrequencies, float attentionScale = 1)
    {
        (InverseFrequencies, AttentionScale) = (inverseFrequencies, attentionScale);
    }

    /// <summary>[D/2].</summary>
    public float[] InverseFrequencies { get; }

    /// <summary>Factor on cosine and sine.</summary>
    public float AttentionScale { get; }

    /// <summary>What a configuration says of them; null where none of its words do.</summary>
    public RopeForm? Form { get; init; }

    /// <summary>D.</summary>
    public int HeadDim => 2 * InverseFrequencies.Length;
}
