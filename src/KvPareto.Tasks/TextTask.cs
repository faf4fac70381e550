using System.Collections.ObjectModel;
using KvPareto.Tasks.Predictions;

namespace KvPareto.Tasks;

/// <summary>A task whose samples are answered by text.</summary>
public abstract class TextTask : EvaluationTask
{
    /// <inheritdoc/>
    public sealed override double Score(TaskSample sample, Prediction prediction) => Score(sample, TextOf(prediction));

    /// <inheritdoc/>
    public sealed override IReadOnlyDictionary<string, double> Parts(TaskSample sample, Prediction prediction) =>
        Parts(sample, TextOf(prediction));

    /// <summary>Score of one answer, 0 to 1.</summary>
    public abstract double Score(TaskSample sample, string prediction);

    /// <summary>Further scores of one answer by name, 0 to 1.</summary>
    public virtual IReadOnlyDictionary<string, double> Parts(TaskSample sample, string prediction) =>
        ReadOnlyDictionary<string, double>.Empty;

    private static string TextOf(Prediction prediction) =>
        prediction is TextPrediction answer ? answer.Text : throw new FormatException("the prediction is no text");
}
