using KvPareto.Engine.Generation;
using KvPareto.Engine.Settings;
using KvPareto.Tasks;
using KvPareto.Tasks.Fidelity;
using KvPareto.Tasks.Predictions;

namespace KvPareto.Sweep.Trials;

/// <summary>A model loaded on a backend.</summary>
/// <param name="model">The model; disposed with this object.</param>
/// <param name="references">What its samples are compared with.</param>
/// <param name="room">Bytes that there are; null where that is not known.</param>
internal sealed class BackendTrialModel(LanguageModel model, TrialReferences references, long? room) : ITrialModel
{
    private readonly PromptPrefixes _prefixes = new(model.Transformer, room);
    private Generator? _generator;
    private bool _sharesPrefixes;

    public Answer Measure(InferenceSetting setting, TaskSample sample, bool prefixes, CancellationToken cancellation) => sample.Kind switch
    {
        SampleKind.Compare => Compare(setting, sample, cancellation),
        SampleKind.Rate => Rate(GeneratorFor(setting, prefixes), sample, cancellation),
        _ => Generate(GeneratorFor(setting, prefixes), sample, cancellation),
    };

    public string? Text(ReadOnlySpan<int> ids) => model.HasTokenizer ? model.Tokenizer.Decode(ids) : null;

    public ISampleBatch? Together(InferenceSetting setting, IReadOnlyList<TaskSample> samples, WorkSharing sharing)
    {
        var capacity = samples.Max(sample => Generator.CacheCapacity(sample.PromptIds.Length, sample.MaxNewTokens));
        try
        {
            return new Batch(this, samples, new(
                model.Transformer, GeneratorFor(setting, sharing.Prefixes), sharing.BatchSize, capacity, room));
        }
        catch (OutOfMemoryException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        _prefixes.Dispose();
        model.Dispose();
    }

    private Answer Generate(Generator generator, TaskSample sample, CancellationToken cancellation)
    {
        var stops = StopsOf(sample);
        var completion = generator.Generate(sample.PromptIds, sample.MaxNewTokens, sample.StopIds, stops, cancellation: cancellation);
        return Answered(sample, stops, completion);
    }

    private StopTexts? StopsOf(TaskSample sample) =>
        sample.StopTexts.Count > 0 ? new StopTexts(model.Tokenizer, sample.StopTexts) : null;

    private Answer Answered(TaskSample sample, StopTexts? stops, Completion completion)
    {
        // Of what is only measured nobody reads the text, and the model may have no tokenizer.
        var text = sample.Kind == SampleKind.Cost ? "" : model.Tokenizer.Decode(completion.Ids);
        return new(
            new TextPrediction(stops is null ? text : stops.Cut(text)),
            completion.PromptTokens,
            completion.Ids.Length,
            completion.TimeToFirstToken,
            completion.TimePerOutputToken,
            completion.Peaks)
        { PrefixTokens = completion.PrefixTokens };
    }

    private static Answer Rate(Generator generator, TaskSample sample, CancellationToken cancellation)
    {
        var rated = generator.LogLikelihoods(sample.PromptIds, sample.Continuations, cancellation);
        return new(
            new LikelihoodPrediction(rated.Values),
            sample.PromptIds.Length,
            NewTokens: 0,
            rated.Elapsed,
            TimePerToken: null,
            rated.Peaks)
        { PrefixTokens = rated.PrefixTokens };
    }

    // Prefixes are those of one setting, and take no room of what is measured without them.
    private Generator GeneratorFor(InferenceSetting setting, bool prefixes)
    {
        if (_generator?.Setting == setting && _sharesPrefixes == prefixes) return _generator;
        _prefixes.Clear();
        _sharesPrefixes = prefixes;
        return _generator = new(model.Transformer, setting, prefixes ? _prefixes : null);
    }

    private Answer Compare(InferenceSetting setting, TaskSample sample, CancellationToken cancellation)
    {
        _prefixes.Clear();
        var (reference, window) = references.Of(sample);
        var fidelity = new FidelityMeter(model.Transformer, reference).Measure(setting, window, sample.ComparedTokens, cancellation);
        return new(
            WindowFigures.Of(fidelity, model.Config.Geometry),
            sample.PromptIds.Length,
            NewTokens: 0,
            // Of a text the reading alone is the setting's cost; of a prompt it is asked what knowing the divergence takes.
            sample.ComparedTokens is null ? fidelity.Elapsed : fidelity.Elapsed + fidelity.ComparedIn,
            TimePerToken: null,
            fidelity.Peaks);
    }

    private sealed class Batch(
        BackendTrialModel owner, IReadOnlyList<TaskSample> samples, GenerationBatch<(int Index, StopTexts? Stops)> batch) : ISampleBatch
    {
        public int Count => batch.Count;

        public bool TryAdd(int index, CancellationToken cancellation)
        {
            var (sample, stops) = (samples[index], owner.StopsOf(samples[index]));
            return batch.TryAdd((index, stops), sample.PromptIds, sample.MaxNewTokens, sample.StopIds, stops, cancellation);
        }

        public IReadOnlyList<(int Index, Answer Answer)> Step() =>
            [.. batch.Step().Select(one => (one.Key.Index, owner.Answered(samples[one.Key.Index], one.Key.Stops, one.Completion)))];

        public void Dispose() => batch.Dispose();
    }
}
