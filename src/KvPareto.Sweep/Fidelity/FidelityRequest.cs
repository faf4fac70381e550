using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Config;
using KvPareto.Tasks.Fidelity;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Fidelity;

/// <summary>A sweep of the one task fidelity: which settings, on which models and text.</summary>
public sealed record FidelityRequest
{
    // The prefill chunk of KV Pareto (arXiv 2512.01953).
    private const string DefaultChunk = "c256";
    private const string Name = "fidelity";
    private const string Source = "kvpareto fidelity";

    private static readonly JsonSerializerOptions Quoted = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string[] DefaultCaches =
        ["k16v16", "k8v8-t{0}", "k8v4-t{0}", "k4v4-t{0}", "k4v4-t{0}-smooth", "k4v2-t{0}-smooth", "k2v2-t{0}", "k2v2-t{0}-smooth"];

    /// <summary>What <see cref="ModelSource.Open"/> takes, at least one.</summary>
    public required IReadOnlyList<string> Models { get; init; }

    /// <summary>
    /// The model that all are compared with, where it is not each one itself, unquantized: the others are AWQ folders or GGUF files of it.
    /// </summary>
    public string? Reference { get; init; }

    /// <summary>Text file, UTF-8.</summary>
    public required string Text { get; init; }

    /// <summary>Settings in the order of the report; null for a ladder from 16 to 2 bits that fits any model.</summary>
    public IReadOnlyList<InferenceSetting>? Settings { get; init; }

    /// <summary>First tokens of the text that are measured; null for 32,768, or as many whole windows as the text has.</summary>
    public int? Tokens { get; init; }

    /// <summary>Tokens of a window; null for 4,096, or the models' max_position_embeddings where that is less.</summary>
    public int? Window { get; init; }

    /// <summary>Prefill chunk in place of the settings' own; 0 feeds each window whole; null leaves them as they are.</summary>
    public int? Chunk { get; init; }

    /// <summary>The sweep, as the text of a config that does the same.</summary>
    /// <exception cref="ConfigException">A model cannot be opened, or a value does not fit it.</exception>
    public SweepConfig ToConfig()
    {
        if (!File.Exists(Text)) throw new ConfigException($"fidelity: {Text}: there is no such file; allowed: a text file, UTF-8");
        var own = Reference is null ? Models : [.. Models.Where(IsReference)];
        var variants = Reference is null ? [] : Models.Where(model => !IsReference(model)).Select(Variant).ToList();
        var shapes = (Reference is null ? Models : [Reference]).Select(Shape).ToList();
        var settings = Chosen(shapes[0].HeadDim);
        string[] names =
        [
            .. own.Count > 0 ? settings.Select(setting => setting.Name) : [],
            .. from variant in variants
               from setting in settings
               where own.Count == 0 || !setting.Weights.IsCoded
               select Of(variant.Form, setting).Name,
        ];
        return SweepConfigReader.Read(Source, Yaml(variants, names.Distinct(), shapes), Directory.GetCurrentDirectory(), []);
    }

    private bool IsReference(string model) => Path.GetFullPath(model) == Path.GetFullPath(Reference!);

    private string Yaml(List<(string Path, WeightForm Form)> variants, IEnumerable<string> names, IReadOnlyList<ModelConfig> shapes)
    {
        var text = new StringBuilder($"name: {Name}\nmodels:\n");
        foreach (var (model, alias) in Named(Reference is null ? Models : [Reference]))
        {
            var weights = string.Join(", ", variants.Select(variant => $"{variant.Form.Method}: {Quote(Full(variant.Path))}"));
            text.Append(CultureInfo.InvariantCulture, $"  - {{path: {Quote(Full(model))}");
            if (alias is not null) text.Append(CultureInfo.InvariantCulture, $", name: {Quote(alias)}");
            text.Append(weights.Length == 0 ? "}\n" : $", weights: [{weights}]}}\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"tasks:\n  - {{task: fidelity, name: {Quote(Path.GetFileName(Text))}, ");
        text.Append(CultureInfo.InvariantCulture, $"text: {Quote(Path.GetFullPath(Text))}, window: {WindowFor(shapes)}");
        text.Append(Tokens is { } tokens ? string.Create(CultureInfo.InvariantCulture, $", tokens: {tokens}}}\n") : "}\n");
        // A list of weights is an axis; only what is named is measured.
        if (variants.Count > 0) text.Append("exclude: [\"*\"]\n");
        var list = names.ToList();
        text.Append(CultureInfo.InvariantCulture, $"baseline: {list[0]}\nsettings:\n");
        foreach (var setting in list) text.Append(CultureInfo.InvariantCulture, $"  - {setting}\n");
        return text.ToString();
    }

    // Two models of one name are told apart by what the user called them.
    private static IEnumerable<(string Model, string? Alias)> Named(IReadOnlyList<string> models)
    {
        var names = models.ToLookup(model => ModelSource.Open(model).Name);
        return models.Select(model => (model, names[ModelSource.Open(model).Name].Count() > 1 ? model : null));
    }

    private static (string Path, WeightForm Form) Variant(string model)
    {
        using var checkpoint = ModelSource.Open(model).OpenShapes();
        return checkpoint.Form is { } form
            ? (model, form)
            : throw new ConfigException(
                $"fidelity: model '{model}' has weights of its own; allowed: with --reference an AWQ folder or a GGUF file of that model");
    }

    private static InferenceSetting Of(WeightForm form, InferenceSetting setting) => setting.Weights.IsCoded
        ? throw new ConfigException($"fidelity: setting {setting.Name} codes weights that are {form.Word} already; allowed: w16")
        : setting with { Weights = setting.Weights with { Form = form } };

    private static ModelConfig Shape(string model)
    {
        using var checkpoint = ModelSource.Open(model).OpenShapes();
        return checkpoint.Config;
    }

    private int WindowFor(IReadOnlyList<ModelConfig> shapes)
    {
        var positions = shapes.Min(shape => shape.MaxPositions);
        var window = Window ?? Math.Min(FidelityOptions.DefaultWindow, positions);
        new FidelityOptions { File = Text, Tokens = Tokens, Window = window }.Validate();
        return window <= positions
            ? window
            : throw new ConfigException($"fidelity: window {window} with model '{Models[0]}'"
                + $"; allowed: up to its {positions} positions (max_position_embeddings)");
    }

    private IReadOnlyList<InferenceSetting> Chosen(int headDim) =>
        [.. (Settings ?? Defaults(headDim)).Select(setting => setting.WithChunk(Chunk, "fidelity: chunk"))];

    private static IEnumerable<InferenceSetting> Defaults(int headDim)
    {
        var group = headDim % 64 == 0 ? 64 : headDim % 32 == 0 ? 32 : headDim;
        return DefaultCaches.Select(cache =>
            InferenceSetting.Parse($"w16a16-{string.Format(CultureInfo.InvariantCulture, cache, group)}-{DefaultChunk}"));
    }

    private static string Full(string model) => Path.Exists(model) ? Path.GetFullPath(model) : model;

    private static string Quote(string text) => JsonSerializer.Serialize(text, Quoted);
}
