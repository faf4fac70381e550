using System.Text.Json.Nodes;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Config;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>A model that was found to be in order, with its prompts.</summary>
/// <param name="Entry">Where it is.</param>
/// <param name="Digest">SHA-256 (hex) over its files.</param>
/// <param name="Tasks">Its prompts, task by task in the config's order.</param>
internal sealed record PreparedModel(ModelEntry Entry, string Digest, IReadOnlyList<PreparedTask> Tasks)
{
    /// <summary>The sweep's settings as they are for this model, none for one that is here for its variants' sake.</summary>
    public required IReadOnlyList<InferenceSetting> Settings { get; init; }

    /// <summary>Tokens that its tasks were made to; null where they have lengths of their own.</summary>
    public int? Context { get; init; }

    /// <summary>Its architecture; null where an engine has none.</summary>
    public ModelConfig? Config { get; init; }

    /// <summary>The variant of <see cref="Entry"/> that this is; null for the model itself.</summary>
    public WeightVariant? Variant { get; init; }

    /// <summary>Where its files are: what <see cref="Engine.Checkpoints.Sources.ModelSource.Open"/> takes.</summary>
    public string Location { get; init; } = Entry.Model;

    /// <summary>Its architecture in the words of <c>config.json</c>; null where that has none for it.</summary>
    public JsonObject? Architecture { get; init; }

    /// <summary>SHA-256 (hex) over the files of <see cref="Entry"/>'s own checkpoint.</summary>
    public string OriginalDigest { get; init; } = Digest;

    /// <summary>Whether its one task is a search's probe.</summary>
    public bool IsProbe { get; init; }

    /// <summary>Its name for messages.</summary>
    public string Name => Variant is null ? Entry.Name : $"{Entry.Name} ({Variant.Form.Word})";

    /// <summary>Samples of one trial.</summary>
    public int SampleCount => Tasks.Sum(task => task.Samples.Count);

    /// <summary>Refuses tasks that could not be measured or told apart.</summary>
    /// <exception cref="ConfigException">A task has no samples, or two of one id.</exception>
    public PreparedModel Checked()
    {
        foreach (var (task, samples) in Tasks)
        {
            if (samples.Count == 0)
                throw new ConfigException($"task '{task.Name}' has no samples for model '{Entry.Name}'; allowed: tasks with at least one");
            if (samples.GroupBy(sample => sample.Id).FirstOrDefault(group => group.Count() > 1) is { } twice)
                throw new ConfigException($"task '{task.Name}' has two samples with the id '{twice.Key}'"
                    + "; allowed: an id of its own for each");
        }
        return this;
    }
}
