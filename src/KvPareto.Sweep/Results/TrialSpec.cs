using System.Text.Json.Nodes;
using KvPareto.Engine.Settings;
using KvPareto.Text.Templates;

namespace KvPareto.Sweep.Results;

/// <summary>All that one trial's scores depend on.</summary>
/// <param name="Model">The model's name in the config; not part of the identity, its files are.</param>
/// <param name="ModelDigest">SHA-256 (hex) over the model's files.</param>
/// <param name="Setting">The setting.</param>
/// <param name="TaskDigests">Digests of the tasks, in the config's order.</param>
/// <param name="Seed">The sweep's seed.</param>
/// <param name="Backend">Kind of device (<see cref="Engine.Seam.Backend.Name"/>): activations are rounded differently on another.</param>
/// <param name="Template">What chat templates are told, as JSON; null for the default.</param>
/// <param name="Repeat">Number of a repeat of the baseline, from 1; null for a trial of the sweep.</param>
/// <param name="Context">Tokens that the tasks were made to; not part of the identity, the tasks are.</param>
/// <param name="IsProbe">Whether it is a comparison that a search ranks settings by; not part of the identity, its task is.</param>
internal sealed record TrialSpec(
    string Model, string ModelDigest, InferenceSetting Setting, IReadOnlyList<string> TaskDigests, int Seed, string Backend = TrialSpec.Cpu,
        string? Template = null, int? Repeat = null, int? Context = null, bool IsProbe = false)
{
    private const string Cpu = "cpu";

    private static readonly string DefaultTemplate = TemplateSettings.Default.ToJson().ToJsonString();

    /// <summary>
    /// Hash of the canonical JSON of model digest, setting, task digests and seed, and of what an ordinary trial on a processor has
    /// none of: another backend, settings of chat templates, the number of a repeat.
    /// </summary>
    public string Id { get; } = IdOf(ModelDigest, Setting.Name, TaskDigests, Seed, Backend, Template, Repeat);

    /// <summary>The same of a setting's short name.</summary>
    internal static string IdOf(
        string modelDigest, string setting, IReadOnlyList<string> taskDigests, int seed, string backend, string? template, int? repeat)
    {
        var identity = new JsonObject
        {
            ["model"] = modelDigest,
            ["setting"] = setting,
            ["tasks"] = new JsonArray([.. taskDigests.Select(digest => JsonValue.Create(digest))]),
            ["seed"] = seed,
        };
        if (backend != Cpu) identity["backend"] = backend;
        if (template is not null) identity["template"] = template;
        if (repeat is not null) identity["repeat"] = repeat;
        return TextHash.Id(CanonicalJson.Write(identity));
    }

    /// <summary>What chat templates are told, as the identity has it: null for the default, which earlier versions knew alone.</summary>
    internal static string? TemplateOf(JsonObject? settings) =>
        settings?.ToJsonString() is { } text && text != DefaultTemplate ? text : null;
}
