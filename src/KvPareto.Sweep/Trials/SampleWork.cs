using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>What samples take of a model, in multiply-adds: more work takes longer, by how much is to be measured.</summary>
/// <param name="Read">Of reading prompts.</param>
/// <param name="Made">Of making all new tokens that the samples allow, the first of each apart.</param>
/// <param name="Samples">Number of samples.</param>
internal readonly record struct SampleWork(double Read, double Made, int Samples)
{
    // Scores that are all held go through memory: 900 tokens of the embedded models take 2.4 times as long as without.
    private const double HeldScores = 4;

    /// <summary>The work of one sample.</summary>
    /// <param name="config">Architecture; null where work is to be counted in tokens.</param>
    /// <param name="kernel">Attention's.</param>
    /// <param name="sample">The sample.</param>
    public static SampleWork Of(ModelConfig? config, AttentionKernel kernel, TaskSample sample)
    {
        var (layers, head, attention) = config is null ? (1.0, 0.0, 0.0) : Weights(config);
        double length = sample.PromptIds.Length;
        // Continuations that differ in their last token alone share a run.
        var runs = sample.Continuations.Select(ids => string.Join(' ', ids.SkipLast(1))).Distinct().Count();
        var scores = attention * (kernel == AttentionKernel.Math ? HeldScores : 1);
        var made = Math.Max(0, sample.MaxNewTokens - 1) * (layers + head + 2 * attention * length);
        return new(Math.Max(1, runs) * (layers * length + scores * length * length + head), made, 1);
    }

    /// <summary>Both together.</summary>
    public static SampleWork operator +(SampleWork a, SampleWork b) => new(a.Read + b.Read, a.Made + b.Made, a.Samples + b.Samples);

    /// <summary>What is left of it.</summary>
    public static SampleWork operator -(SampleWork a, SampleWork b) => new(a.Read - b.Read, a.Made - b.Made, a.Samples - b.Samples);

    // Multiply-adds of a token in all layers, of a logits row, and of a token that attends over another.
    private static (double Layers, double Head, double Attention) Weights(ModelConfig config)
    {
        double hidden = config.HiddenSize;
        var (query, cached) = (config.QueryHeads * config.HeadDim, config.KvHeads * config.HeadDim);
        var layer = hidden * (2 * query + 2 * cached + 3.0 * config.FeedForwardSize);
        return (config.LayerCount * layer, hidden * config.VocabularySize, config.LayerCount * (double)query);
    }
}
