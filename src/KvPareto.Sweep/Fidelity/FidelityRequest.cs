using System.Globalization;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Trials;
using KvPareto.Tasks.Fidelity;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Fidelity;

/// <summary>Which settings to measure, on which model and text.</summary>
public sealed record FidelityRequest
{
    // The prefill chunk of KV Pareto (arXiv 2512.01953).
    private const string DefaultChunk = "c256";

    private static readonly string[] DefaultCaches =
        ["k16v16", "k8v8-t{0}", "k8v4-t{0}", "k4v4-t{0}", "k4v4-t{0}-smooth", "k4v2-t{0}-smooth", "k2v2-t{0}", "k2v2-t{0}-smooth"];

    /// <summary>What <see cref="Engine.Checkpoints.Sources.ModelSource.Open"/> takes.</summary>
    public required string Model { get; init; }

    /// <summary>
    /// The model that is compared with, where it is not the same one unquantized: for a checkpoint whose weights are packed, the one
    /// that it was made of.
    /// </summary>
    public string? Reference { get; init; }

    /// <summary>Text file, UTF-8.</summary>
    public required string Text { get; init; }

    /// <summary>Settings in the order of the report; null for a ladder from 16 to 2 bits that fits any model.</summary>
    public IReadOnlyList<InferenceSetting>? Settings { get; init; }

    /// <summary>First tokens of the text that are measured; null for 32,768, or as many whole windows as the text has.</summary>
    public int? Tokens { get; init; }

    /// <summary>Tokens of a window; null for 4,096, or the model's max_position_embeddings where that is less.</summary>
    public int? Window { get; init; }

    /// <summary>Prefill chunk in place of the settings' own; 0 feeds each window whole; null leaves them as they are.</summary>
    public int? Chunk { get; init; }

    /// <summary>Threads that compare distributions; null for one a processor.</summary>
    public int? Threads { get; init; }

    /// <summary>The window for a model.</summary>
    /// <exception cref="ConfigException">It is longer than the model's positions, or does not divide the tokens.</exception>
    internal int WindowFor(ModelConfig config)
    {
        var window = Window ?? Math.Min(FidelityOptions.DefaultWindow, config.MaxPositions);
        new FidelityOptions { File = Text, Tokens = Tokens ?? window, Window = window }.Validate();
        return window <= config.MaxPositions
            ? window
            : throw new ConfigException($"fidelity: window {window} with model '{Model}'"
                + $"; allowed: up to its {config.MaxPositions} positions (max_position_embeddings)");
    }

    /// <summary>The settings for a model, each once.</summary>
    /// <exception cref="ConfigException">A setting does not fit the model or the device.</exception>
    internal IReadOnlyList<InferenceSetting> SettingsFor(ModelConfig config, Backend backend)
    {
        if (Chunk < 0) throw new ConfigException($"fidelity: chunk {Chunk}; allowed: 0 for whole windows, or a number of tokens");
        var chosen = Settings ?? [.. Defaults(config.HeadDim)];
        if (Chunk is { } chunk) chosen = [.. chosen.Select(setting => setting with { Chunk = chunk == 0 ? null : chunk })];
        InferenceSetting[] settings = [.. chosen.Select(setting => setting.For(config)).DistinctBy(setting => setting.Name)];
        foreach (var setting in settings) SettingFit.Check(Model, config, setting, backend);
        return settings;
    }

    private static IEnumerable<InferenceSetting> Defaults(int headDim)
    {
        var group = headDim % 64 == 0 ? 64 : headDim % 32 == 0 ? 32 : headDim;
        return DefaultCaches.Select(cache =>
            InferenceSetting.Parse($"w16a16-{string.Format(CultureInfo.InvariantCulture, cache, group)}-{DefaultChunk}"));
    }
}
