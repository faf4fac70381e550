namespace KvPareto.Tasks.Scoring;

/// <summary>A prediction as a file holds it, whatever the file's form.</summary>
/// <param name="Row">Where it stands.</param>
/// <param name="Task">One of <see cref="TaskScores.Names"/>.</param>
/// <param name="TaskField">What names the task, for messages.</param>
/// <param name="Prediction">What the model answered.</param>
/// <param name="PredictionField">The field that it stands in, for messages.</param>
/// <param name="Answers">Right answers.</param>
/// <param name="AllClasses">The classes of a classification task, or null.</param>
internal sealed record StoredPrediction(
    JsonRow Row,
    string Task,
    string TaskField,
    string Prediction,
    string PredictionField,
    IReadOnlyList<string> Answers,
    IReadOnlyList<string>? AllClasses);
