using KvPareto.Tasks.Predictions;

namespace KvPareto.Tasks;

/// <summary>A prediction as a file holds it, whatever the file's form.</summary>
/// <param name="Row">Where it stands.</param>
/// <param name="Task">One of <see cref="StoredScore.Task"/>.</param>
/// <param name="TaskField">What names the task, for messages.</param>
/// <param name="Prediction">What the model answered.</param>
/// <param name="PredictionField">The field that it stands in, for messages.</param>
/// <param name="Answers">Right answers.</param>
/// <param name="AllClasses">The classes of a classification task, or null.</param>
internal sealed record StoredPrediction(
    JsonRow Row,
    string Task,
    string TaskField,
    Prediction Prediction,
    string PredictionField,
    IReadOnlyList<string> Answers,
    IReadOnlyList<string>? AllClasses)
{
    /// <summary>The answer.</summary>
    /// <exception cref="Text.Input.ConfigException">The prediction is no text.</exception>
    public string Text => Prediction is TextPrediction answer ? answer.Text : throw Row.Error(PredictionField, "must be a string");
}
