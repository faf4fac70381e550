using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Text.Templates;
using KvPareto.Sweep.Config;
using KvPareto.Tasks;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>The project's own engine on one backend.</summary>
/// <param name="backend">Device; stays the caller's.</param>
/// <param name="template">What chat templates are told.</param>
internal sealed class BackendTrialEngine(Backend backend, TemplateSettings template) : ITrialEngine
{
    // LongBench's longest answer; a short context keeps at least three quarters for the prompt.
    private const int AnswerReserve = 512;

    private readonly TrialReferences _references = new(backend);

    /// <inheritdoc/>
    public string Backend => backend.Name;

    /// <inheritdoc/>
    public string Device => backend.Device;

    public int? Workers => backend.Workers;

    /// <inheritdoc/>
    public PreparedModel Prepare(ModelEntry model, IReadOnlyList<InferenceSetting> settings, IReadOnlyList<SweepTask> tasks)
    {
        var source = ModelSource.Open(model.Model);
        var tokenizer = source.RequireTokenizer();
        var digest = ModelDigest.Of(source);
        using var checkpoint = source.OpenCheckpoint();
        var config = checkpoint.Config;
        InferenceSetting[] fitting = [.. settings.Select(setting => setting.For(config)).DistinctBy(setting => setting.Name)];
        foreach (var setting in fitting) SettingFit.Check(model, config, setting);
        CheckWeights(model, fitting[0].Weights);

        var reserve = Math.Min(AnswerReserve, config.MaxPositions / 4);
        var context = new PromptContext(tokenizer, source.LoadChatTemplate()?.With(template), config.MaxPositions - reserve);
        return new(model, digest, [.. tasks.Select(task => Prepare(task, context, config, model))]) { Settings = fitting };
    }

    /// <inheritdoc/>
    public ITrialModel Load(PreparedModel model, WeightSpec weights, CancellationToken cancellation)
    {
        _references.Prepare(model, cancellation);
        return new BackendTrialModel(LanguageModel.Load(backend, model.Entry.Model, weights), _references);
    }

    // Names, types and shapes of tensors are known only by loading; where memory does not suffice, the trial itself will say so.
    private void CheckWeights(ModelEntry model, WeightSpec weights)
    {
        try
        {
            LanguageModel.Load(backend, model.Model, weights).Dispose();
        }
        catch (OutOfMemoryException)
        {
            return;
        }
    }

    private static PreparedTask Prepare(SweepTask task, PromptContext context, ModelConfig config, ModelEntry model)
    {
        var samples = task.Task.Prepare(context);
        foreach (var sample in samples)
        {
            var answer = Math.Max(sample.MaxNewTokens, sample.Continuations.Select(ids => ids.Length).DefaultIfEmpty().Max());
            var length = (long)sample.PromptIds.Length + answer;
            // A tokenizer may know more than the model, as long as no prompt does.
            if (sample.PromptIds.Concat(sample.Continuations.SelectMany(ids => ids)).FirstOrDefault(id => id >= config.VocabularySize) is > 0 and var foreign)
                throw new ConfigException($"task '{task.Name}': token id {foreign} in the prompt of sample '{sample.Id}'; model '{model.Name}' has ids 0 to {config.VocabularySize - 1}");
            if (sample.PromptIds.Length > 0 && length <= config.MaxPositions) continue;
            throw new ConfigException($"task '{task.Name}': sample '{sample.Id}' takes {length} tokens, of them {answer}"
                + $" for its answer; allowed: a prompt, and at most the {config.MaxPositions} positions of model '{model.Name}'");
        }
        return new(task, samples);
    }
}
