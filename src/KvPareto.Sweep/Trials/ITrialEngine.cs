using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Config;
using KvPareto.Tasks;
using KvPareto.Tasks.Predictions;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>What a sweep needs of an inference engine.</summary>
internal interface ITrialEngine
{
    /// <summary>Short name of the backend.</summary>
    string Backend { get; }

    /// <summary>The device in words.</summary>
    string Device { get; }

    /// <summary>The instructions that scores may depend on, in words.</summary>
    string Instructions { get; }

    /// <summary>How many workers have scratch of their own, which peaks depend on; null where they do not.</summary>
    int? Workers { get; }

    /// <summary>Bytes that trials may take; null where that is not known.</summary>
    long? Room { get; }

    /// <summary>Most samples that are answered together, each as it would be alone; 1 where none are.</summary>
    int MostTogether => 1;

    /// <summary>Whether what a prompt has in common with the one before can be read once, and gives what it would by itself.</summary>
    bool KeepsPrefixes => false;

    /// <summary>
    /// Checks everything about a model that can be checked without running it, and writes its prompts: the model itself first, then the
    /// variants that the settings ask for, which are made where they have to be. Of each task as many samples as its limit allows.
    /// </summary>
    /// <exception cref="ConfigException">A file is damaged, a setting does not fit the model, or a sample is too long for it.</exception>
    IReadOnlyList<PreparedModel> Prepare(ModelEntry model, IReadOnlyList<InferenceSetting> settings, IReadOnlyList<SweepTask> tasks);

    /// <summary>Predicts the highest of a trial's peaks, loading included, from shapes alone; null where a sample is not
    /// answered.</summary>
    long? Predict(PlannedTrial trial);

    /// <summary>Predicts a trial's inference peak from shapes alone, to compare settings by: near the truth where a sample is not
    /// answered.</summary>
    long ExpectedPeak(PlannedTrial trial);

    /// <summary>Loads a model's weights, and before them whatever its samples are compared with.</summary>
    ITrialModel Load(PreparedModel model, WeightSpec weights, CancellationToken cancellation);
}

/// <summary>A loaded model.</summary>
internal interface ITrialModel : IDisposable
{
    /// <summary>Answers, compares or rates one sample, as its kind says.</summary>
    /// <param name="setting">Setting.</param>
    /// <param name="sample">The sample.</param>
    /// <param name="prefixes">Whether what its prompt has in common with the one before is read once.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <exception cref="NotFiniteNumberException">A logit is not a number.</exception>
    Answer Measure(InferenceSetting setting, TaskSample sample, bool prefixes, CancellationToken cancellation);

    /// <summary>For samples that are answered together; null where there is no room for what only that takes.</summary>
    /// <param name="setting">Setting.</param>
    /// <param name="samples">The samples.</param>
    /// <param name="sharing">Samples at a time, up to <see cref="ITrialEngine.MostTogether"/>, and whether prefixes are kept.</param>
    ISampleBatch? Together(InferenceSetting setting, IReadOnlyList<TaskSample> samples, WorkSharing sharing);

    /// <summary>The text of token ids; null where they have none.</summary>
    string? Text(ReadOnlySpan<int> ids) => null;
}

/// <summary>Samples that are answered together.</summary>
internal interface ISampleBatch : IDisposable
{
    /// <summary>How many have been begun and have no answer yet.</summary>
    int Count { get; }

    /// <summary>Begins with one; false where it has to wait for others to end, or where there are none, be answered alone.</summary>
    /// <param name="index">Which of the samples.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <exception cref="NotFiniteNumberException">A logit is not a number.</exception>
    bool TryAdd(int index, CancellationToken cancellation);

    /// <summary>Goes on with all of them.</summary>
    /// <returns>Those that have ended since the last call.</returns>
    /// <exception cref="NotFiniteNumberException">A logit is not a number.</exception>
    IReadOnlyList<(int Index, Answer Answer)> Step();
}

/// <summary>
/// What the model made of a sample, with the cost; where nothing is generated, the time is that of reading the text.
/// </summary>
internal sealed record Answer(
    Prediction Prediction, int PromptTokens, int NewTokens, TimeSpan TimeToFirstToken, TimeSpan? TimePerToken, MemoryPeaks Peaks)
{
    /// <summary>Tokens of the prompt that were taken over from another.</summary>
    public int PrefixTokens { get; init; }
}
