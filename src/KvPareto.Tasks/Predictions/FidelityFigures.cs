namespace KvPareto.Tasks.Predictions;

/// <summary>How near a setting stays to its reference over some windows of a text.</summary>
/// <param name="Ppl">Perplexity: exp of the mean surprise over the W − 1 predicted tokens of each window.</param>
/// <param name="ReferencePpl">The reference's own.</param>
/// <param name="KlMean">Mean KL(reference ‖ setting) over all positions, in nats.</param>
/// <param name="KlP50">Median.</param>
/// <param name="KlP99">99 % quantile, linear between the two nearest positions.</param>
/// <param name="KlMax">Largest.</param>
/// <param name="Top1">Share of positions with the same likeliest token, 0 to 1.</param>
/// <param name="PplSecondHalf">Perplexity over the predictions made from W/2 tokens or more: what llama.cpp's perplexity tool
/// counts.</param>
/// <param name="KlSecondHalf">Mean KL over the same positions, W/2 to W − 2 from 0.</param>
public sealed record FidelityFigures(
    double Ppl,
    double ReferencePpl,
    double KlMean,
    double KlP50,
    double KlP99,
    double KlMax,
    double Top1,
    double PplSecondHalf,
    double KlSecondHalf);
