using KvPareto.Engine.Checkpoints;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Running;
using KvPareto.Text.Templates;
using KvPareto.Sweep.Config;
using KvPareto.Tasks;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>The project's own engine on one backend.</summary>
/// <param name="backend">Device; stays the caller's.</param>
/// <param name="template">What chat templates are told.</param>
/// <param name="room">Bytes that trials may take; null for the device's.</param>
/// <param name="progress">Told of weights that are made; or null.</param>
/// <param name="cancellation">Stops the making of weights.</param>
internal sealed class BackendTrialEngine(
    Backend backend, TemplateSettings template, long? room = null, IProgress<SweepEvent>? progress = null,
    CancellationToken cancellation = default) : ITrialEngine
{
    /// <summary>Weights that would have to be made are not: their trials can be planned, and nothing more.</summary>
    public bool MakesNothing { get; init; }

    // LongBench's longest answer; a short context keeps at least three quarters for the prompt.
    private const int AnswerReserve = 512;

    private readonly TrialReferences _references = new(backend);
    private readonly QuantizedModels _quantized = new(backend);

    /// <inheritdoc/>
    public string Backend => backend.Name;

    /// <inheritdoc/>
    public string Device => backend.Device;

    /// <inheritdoc/>
    public string Instructions => backend.Instructions;

    /// <inheritdoc/>
    public int? Workers => backend.Workers;

    /// <inheritdoc/>
    public int MostTogether => backend.MostSequences;

    /// <inheritdoc/>
    public bool KeepsPrefixes => backend.CopiesCaches;

    /// <inheritdoc/>
    public long? Room { get; } = room ?? backend.Capacity;

    /// <inheritdoc/>
    public IReadOnlyList<PreparedModel> Prepare(ModelEntry model, IReadOnlyList<InferenceSetting> settings, IReadOnlyList<SweepTask> tasks)
    {
        var source = ModelSource.Open(model.Model);
        // Prompts of token ids need no tokenizer, and random models have none.
        var tokenizer = tasks.All(task => task.Task is TokenTask) ? null : source.RequireTokenizer();
        var digest = ModelDigest.Of(source);
        using var checkpoint = source.OpenCheckpoint();
        var config = checkpoint.Config;
        var byForm = settings.ToLookup(setting => setting.Weights.Form);
        foreach (var form in byForm.Select(group => group.Key).OfType<WeightForm>()) RequireVariant(model, form, byForm[form].First());
        var own = Fitting(model, config, byForm[null]);
        CheckWeights(checkpoint, own);

        var reserve = Math.Min(AnswerReserve, config.MaxPositions / 4);
        var context = tokenizer is null ? null
            : new PromptContext(tokenizer, source.LoadChatTemplate()?.With(template), config.MaxPositions - reserve);
        var prepared = new PreparedModel(model, digest, [.. tasks.Select(task => Prepare(task, context, config, model))])
        {
            Settings = own,
            Config = config,
            Architecture = ArchitectureRecord.Of(checkpoint),
        };
        prepared = prepared with { Settings = Resolved(checkpoint, own, prepared.Tasks) };
        return [prepared, .. model.Variants.Where(variant => byForm.Contains(variant.Form))
            .Select(variant => Prepare(prepared, variant, config, byForm[variant.Form]))];
    }

    /// <inheritdoc/>
    public long? Predict(PlannedTrial trial) =>
        trial.Model.Tasks.Any(task => task.Samples.Any(sample => sample.Kind is not (SampleKind.Answer or SampleKind.Cost)))
            ? null
            : Forecast(trial, forecast => forecast.Highest(trial.Spec.Setting));

    /// <inheritdoc/>
    public long ExpectedPeak(PlannedTrial trial) => Forecast(trial, forecast => forecast.Inference(trial.Spec.Setting));

    private long Forecast(PlannedTrial trial, Func<TrialForecast, long> of)
    {
        using var original = ModelSource.Open(trial.Model.Entry.Model).OpenCheckpoint();
        using var variant = trial.Model.Variant?.Open(original);
        return of(new(backend.Layout, variant ?? original, trial.Model.Tasks));
    }

    /// <inheritdoc/>
    public ITrialModel Load(PreparedModel model, WeightSpec weights, CancellationToken cancellation)
    {
        _references.Prepare(model, cancellation);
        var original = model.Variant is null ? null : ModelSource.Open(model.Entry.Model);
        return new BackendTrialModel(LanguageModel.Load(backend, ModelSource.Open(model.Location), weights, original), _references, Room);
    }

    private PreparedModel Prepare(PreparedModel model, WeightVariant variant, ModelConfig own, IEnumerable<InferenceSetting> settings)
    {
        if (MakesNothing && variant.Path is null && Made(model, variant) is null)
        {
            using var original = ModelSource.Open(model.Entry.Model).OpenCheckpoint();
            using var shapes = variant.Open(original);
            return model with
            {
                Digest = $"{model.Digest} {variant.Form.Word}",
                Variant = variant,
                Settings = Resolved(shapes, Fitting(model.Entry, own, settings), model.Tasks),
            };
        }
        var source = ModelSource.Open(variant.Path ?? Make(model, variant));
        using var checkpoint = source.OpenCheckpoint();
        VariantCheck.Check(model, variant, own, source, checkpoint.Config);
        var fitting = Fitting(model.Entry, checkpoint.Config, settings);
        CheckWeights(checkpoint, fitting);
        return model with
        {
            Digest = ModelDigest.Of(source),
            Variant = variant,
            Location = source.Model,
            Settings = Resolved(checkpoint, fitting, model.Tasks),
        };
    }

    private string? Made(PreparedModel model, WeightVariant variant) => _quantized.Find(model.Digest, variant.Recipe!);

    private string Make(PreparedModel model, WeightVariant variant)
    {
        try
        {
            return _quantized.Folder(
                ModelSource.Open(model.Entry.Model), model.Digest, variant.Recipe!,
                layer => progress?.Report(new WeightsMade(model.Entry.Name, variant.Form.Word, layer.Index + 1, layer.Count)),
                    cancellation);
        }
        catch (ConfigException e)
        {
            throw new ConfigException($"{variant.Place}: {e.Message}", e);
        }
    }

    private static void RequireVariant(ModelEntry model, WeightForm form, InferenceSetting setting)
    {
        if (model.Variants.Any(variant => variant.Form == form)) return;
        var forms = string.Concat(model.Variants.Select(variant => $", {variant.Form.Word}"));
        throw new ConfigException($"{model.Place}: setting {setting.Name}: model '{model.Name}' has no weights {form.Word}"
            + $"; allowed: w16, w8, w4{forms}, and what 'weights' of the model names");
    }

    private InferenceSetting[] Fitting(ModelEntry model, ModelConfig config, IEnumerable<InferenceSetting> settings)
    {
        InferenceSetting[] fitting = [.. settings.Select(setting => setting.For(config)).DistinctBy(setting => setting.Name)];
        foreach (var setting in fitting) SettingFit.Check(model, config, setting, backend);
        return fitting;
    }

    private IReadOnlyList<InferenceSetting> Resolved(
        Checkpoint checkpoint, IReadOnlyList<InferenceSetting> settings, IReadOnlyList<PreparedTask> tasks)
    {
        if (settings.All(setting => setting.Chunk != InferenceSetting.AutoChunk)) return settings;
        var forecast = new TrialForecast(backend.Layout, checkpoint, tasks);
        return [.. settings.Select(setting => forecast.Resolved(setting, Room)).DistinctBy(setting => setting.Name)];
    }

    private static void CheckWeights(Checkpoint checkpoint, InferenceSetting[] settings)
    {
        foreach (var weights in settings.Select(setting => setting.Weights).Distinct()) TransformerWeights.Check(checkpoint, weights);
    }

    private static PreparedTask Prepare(SweepTask task, PromptContext? context, ModelConfig config, ModelEntry model)
    {
        var prepared = task.Prepared(task.Task is TokenTask made ? made.Prepare(config.VocabularySize) : task.Task.Prepare(context!));
        foreach (var sample in prepared.Samples)
        {
            var answer = Math.Max(sample.MaxNewTokens, sample.Continuations.Select(ids => ids.Length).DefaultIfEmpty().Max());
            var length = (long)sample.PromptIds.Length + answer;
            // A tokenizer may know more than the model, as long as no prompt does.
            if (sample.PromptIds.Concat(sample.Continuations.SelectMany(ids => ids))
                .FirstOrDefault(id => id >= config.VocabularySize) is > 0 and var foreign)
                throw new ConfigException(
                    $"task '{task.Name}': token id {foreign} in the prompt of sample '{OneLine.Of(sample.Id)}'; model '{model.Name}' has "
                        + $"ids 0 to {config.VocabularySize - 1}");
            if (sample.PromptIds.Length > 0 && length <= config.MaxPositions) continue;
            throw new ConfigException($"task '{task.Name}': sample '{OneLine.Of(sample.Id)}' takes {length} tokens, of them {answer}"
                + $" for its answer; allowed: a prompt, and at most the {config.MaxPositions} positions of model '{model.Name}'");
        }
        return prepared;
    }
}
