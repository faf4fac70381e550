using KvPareto.Tasks.Predictions;

namespace KvPareto.Tasks;

/// <summary>A task whose samples are compared with the model's own unquantized run rather than answered.</summary>
public abstract class ComparisonTask : EvaluationTask
{
    /// <summary>One for each model: what is compared with is its own.</summary>
    public sealed override string DigestOf(string modelDigest)
    {
        using var digest = new TaskDigest();
        return digest.Add(Digest).Add(modelDigest).Finish();
    }

    /// <summary>Top-1 agreement, 0 to 1.</summary>
    /// <param name="sample">Not needed.</param>
    /// <param name="prediction">A <see cref="FidelityPrediction"/>.</param>
    /// <exception cref="FormatException">The prediction is something else.</exception>
    public sealed override double Score(TaskSample sample, Prediction prediction) =>
        prediction is FidelityPrediction compared ? compared.Figures.Top1 : throw new FormatException("no comparison");
}
