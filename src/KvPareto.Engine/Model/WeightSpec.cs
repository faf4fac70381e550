namespace KvPareto.Engine.Model;

/// <summary>Precision of the linear layers' weights; the embedding and the output head keep the checkpoint's own.</summary>
/// <param name="Bits">16: as the checkpoint has them; 4: coded in groups, round to nearest.</param>
/// <param name="Group">Input channels of one output row that share scale and zero point: 32, 64 or 128.</param>
public sealed record WeightSpec(int Bits, int Group = 128)
{
    /// <summary>As the checkpoint has them.</summary>
    public static readonly WeightSpec Full = new(16);
}
