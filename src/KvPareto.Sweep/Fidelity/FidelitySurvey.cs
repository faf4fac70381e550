using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Tasks.Fidelity;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Fidelity;

/// <summary>Measures the fidelity of settings one by one: one run of the reference for all, one load for each weight precision.</summary>
public static class FidelitySurvey
{
    /// <summary>Runs a request.</summary>
    /// <param name="backend">Device.</param>
    /// <param name="request">What to measure.</param>
    /// <param name="onRow">Called with each row as it is done, on this thread; settings that share weights follow each other.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <returns>The rows in the order of the settings.</returns>
    /// <exception cref="ConfigException">Model, text or a setting cannot be used; before anything is measured.</exception>
    /// <exception cref="ArithmeticException">A setting's logits are not finite.</exception>
    public static IReadOnlyList<FidelityRow> Run(
        Backend backend, FidelityRequest request, Action<FidelityRow>? onRow = null, CancellationToken cancellation = default)
    {
        var source = ModelSource.Open(request.Model);
        var other = request.Reference is null ? null : ModelSource.Open(request.Reference);
        var (settings, windows) = Prepare(backend, request, source, other);
        var reference = RunReference(backend, other ?? source, windows, isOtherModel: other is not null, cancellation);
        var rows = new Dictionary<string, FidelityRow>();
        foreach (var group in settings.GroupBy(setting => setting.Weights))
        {
            using var model = LanguageModel.Load(backend, source, group.Key);
            var run = new FidelityRun(model.Transformer, reference, request.Threads);
            foreach (var setting in group)
            {
                var measured = Enumerable.Range(0, windows.Count).Select(window => run.Measure(setting, window, cancellation));
                var row = FidelityRow.Of(source.Name, request.Text, model, setting, [.. measured]);
                rows.Add(setting.Name, row);
                onRow?.Invoke(row);
            }
        }
        return [.. settings.Select(setting => rows[setting.Name])];
    }

    private static (IReadOnlyList<InferenceSetting> Settings, IReadOnlyList<int[]> Windows) Prepare(
        Backend backend, FidelityRequest request, ModelSource source, ModelSource? other)
    {
        using var checkpoint = source.OpenCheckpoint();
        var (config, tokenizer) = (checkpoint.Config, source.RequireTokenizer());
        var window = request.WindowFor(config);
        var settings = request.SettingsFor(config, backend);
        if (other is not null) CheckReference(request, config, other);
        var text = FidelityText.Read(request.Text, request.Tokens ?? Math.Max(window, FidelityOptions.DefaultTokens));
        var windows = text.Windows(tokenizer, request.Tokens, window);
        if (other?.LoadTokenizer() is { } others
            && !windows.Select(ids => tokenizer.Decode(ids)).SequenceEqual(windows.Select(ids => others.Decode(ids))))
            throw new ConfigException(
                $"fidelity: reference '{request.Reference}' has another tokenizer than model '{request.Model}'; allowed: a reference of "
                    + "the same");
        return (settings, windows);
    }

    // Distributions can be compared over one vocabulary only, and states only through heads of one width.
    private static void CheckReference(FidelityRequest request, ModelConfig config, ModelSource other)
    {
        using var checkpoint = other.OpenCheckpoint();
        var (vocabulary, hidden) = (checkpoint.Config.VocabularySize, checkpoint.Config.HiddenSize);
        if (vocabulary == config.VocabularySize && hidden == config.HiddenSize) return;
        throw new ConfigException($"fidelity: reference '{request.Reference}' has vocab_size {vocabulary} and hidden_size {hidden},"
            + $" model '{request.Model}' has {config.VocabularySize} and {config.HiddenSize}; allowed: a reference of the same");
    }

    private static FidelityReference RunReference(
        Backend backend, ModelSource source, IReadOnlyList<int[]> windows, bool isOtherModel, CancellationToken cancellation)
    {
        using var model = LanguageModel.Load(backend, source, WeightSpec.Full);
        return FidelityReference.Run(model.Transformer, source.OpenCheckpoint, windows, isOtherModel, cancellation);
    }
}
