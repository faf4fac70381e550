using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Memory;

/// <summary>A predicted run beside those that it is compared with.</summary>
/// <param name="Setting">Setting.</param>
/// <param name="Context">Tokens of the prompt.</param>
/// <param name="Peaks">Predicted peaks.</param>
/// <param name="MathBaseline">Inference peak with weights as they are stored and a 16-bit cache, the prompt fed whole, scores
/// materialised.</param>
/// <param name="FlashBaseline">The same with the flash kernel.</param>
public sealed record MemoryPlanRow(InferenceSetting Setting, int Context, MemoryPeaks Peaks, long MathBaseline, long FlashBaseline)
{
    /// <summary>The inference peak.</summary>
    public MemoryUse Peak => Peaks.Inference;

    /// <summary>Percent of <see cref="MathBaseline"/> that is not needed.</summary>
    public double SavedAgainstMath => Saved(MathBaseline);

    /// <summary>Percent of <see cref="FlashBaseline"/> that is not needed.</summary>
    public double SavedAgainstFlash => Saved(FlashBaseline);

    private double Saved(long baseline) => 100 * (1 - (double)Peak.Total / baseline);
}

/// <summary>The predicted memory of settings × contexts.</summary>
public static class MemoryPlan
{
    /// <summary>What others are compared with: 16 bits, the prompt fed whole, scores materialised.</summary>
    public static InferenceSetting MathBaseline { get; } = new() { Attention = AttentionKernel.Math };

    /// <summary>As <see cref="MathBaseline"/> with the flash kernel.</summary>
    public static InferenceSetting FlashBaseline { get; } = new();

    /// <summary>Predicts each setting at each context, settings first.</summary>
    /// <param name="layout">Sizes of the backend's allocations.</param>
    /// <param name="checkpoint">The model, whose 16 bits all are compared with.</param>
    /// <param name="settings">Settings.</param>
    /// <param name="contexts">Tokens of the prompts.</param>
    /// <param name="newTokens">Tokens generated.</param>
    /// <param name="variants">Other weights of the model, which settings with their form take; no two of one form.</param>
    /// <exception cref="ConfigException">A setting does not fit the model.</exception>
    public static IReadOnlyList<MemoryPlanRow> Rows(
        MemoryLayout layout, Checkpoint checkpoint, IReadOnlyList<InferenceSetting> settings, IReadOnlyList<int> contexts, int newTokens,
        IReadOnlyList<Checkpoint>? variants = null)
    {
        var model = new MemoryModel(layout, checkpoint);
        var others = (variants ?? []).ToDictionary(variant => variant.Form!, variant => new MemoryModel(layout, variant));
        var rows = new List<MemoryPlanRow>();
        InferenceSetting[] fitting = [.. settings.Select(setting => setting.For(checkpoint.Config)).DistinctBy(setting => setting.Name)];
        foreach (var context in contexts)
        {
            var math = model.Predict(MathBaseline, context, newTokens).Inference.Total;
            var flash = model.Predict(FlashBaseline, context, newTokens).Inference.Total;
            foreach (var setting in fitting)
                rows.Add(new(setting, context, Predict(Of(setting), setting, context, newTokens), math, flash));
        }
        return rows;

        MemoryModel Of(InferenceSetting setting) =>
            setting.Weights.Form is { } form && others.TryGetValue(form, out var variant) ? variant : model;
    }

    /// <summary>
    /// Settings for a model where none are named: both baselines, a chunked one, coded weights, and coded caches with the widest
    /// groups of up to 64 that divide the model's widths.
    /// </summary>
    public static IReadOnlyList<InferenceSetting> DefaultSettings(ModelConfig config)
    {
        var coded4 = new WeightSpec(4).For(config);
        var weights = config.Quantization is null && coded4.Divides(config, coded4.Group) ? coded4 : WeightSpec.Full;
        var group = Array.Find([64, 32, 16, 8], size => config.HeadDim % size == 0);
        (int Keys, int Values)[] coded = group == 0 ? [] : [(8, 8), (8, 4), (4, 4), (4, 2), (2, 2)];
        var chunked = FlashBaseline with { Chunk = 256 };
        InferenceSetting[] settings =
        [
            MathBaseline, FlashBaseline, chunked, chunked with { Weights = weights },
            .. coded.Select(bits => chunked with { Weights = weights, Cache = Coded(bits.Keys, bits.Values, group) }),
        ];
        return [.. settings.DistinctBy(setting => setting.Name)];
    }

    private static MemoryPeaks Predict(MemoryModel model, InferenceSetting setting, int context, int newTokens)
    {
        try
        {
            return model.Predict(setting, context, newTokens);
        }
        catch (ConfigException e)
        {
            throw new ConfigException($"setting {setting.Name}: {e.Message}", e);
        }
    }

    private static KvSpec Coded(int keys, int values, int group) => new()
    {
        Keys = new(keys, new(KvAxis.Token, group)),
        Values = new(values, new(KvAxis.Token, group)),
    };
}
