using KvPareto.Tasks.Cost;
using KvPareto.Tasks.Fidelity;
using KvPareto.Tasks.Gsm8k;
using KvPareto.Tasks.LongBench;
using KvPareto.Tasks.Mmlu;
using KvPareto.Tasks.Niah;
using KvPareto.Tasks.Own;
using KvPareto.Tasks.Ruler;
using KvPareto.Tasks.Synthetic;
using KvPareto.Text.Input;
using KvPareto.Text.Yaml;

namespace KvPareto.Tasks.Catalog;

/// <summary>The kinds of tasks, one line each.</summary>
public static class TaskCatalog
{
    internal static readonly IReadOnlyList<TaskKind> Kinds =
    [
        new("embedded", SyntheticOptions.Example, SyntheticOptions.Read),
        new("longbench", LongBenchOptions.Example, LongBenchOptions.Read, LongBenchTask.StoredScores),
        new("niah", NiahOptions.Example, NiahOptions.Read, NiahTask.StoredScores),
        new("ruler", RulerOptions.Example, RulerOptions.Read, RulerTask.StoredScores),
        new("gsm8k", Gsm8kOptions.Example, Gsm8kOptions.Read, Gsm8kTask.StoredScores),
        new("mmlu", MmluOptions.Example, MmluOptions.Read, MmluTask.StoredScores),
        new("own", OwnOptions.Example, OwnOptions.Read),
        new("fidelity", FidelityOptions.Example, FidelityOptions.Read),
        new("prompt", CostOptions.Example, CostOptions.Read),
    ];

    /// <summary>A config's list of tasks, in words.</summary>
    public static string Words => "a list of " + string.Join(", ", Kinds.Select(kind => $"{{task: {kind.Key}, {kind.Example}}}"));

    /// <summary>Reads a config's list of tasks, in its order; the tasks' data are read by <see cref="TaskOptions.Create"/>.</summary>
    /// <param name="list">The list.</param>
    /// <param name="folder">Where relative paths start.</param>
    /// <param name="seed">Seed of made-up tasks that name none of their own.</param>
    /// <param name="context">The first of the config's contexts, in tokens; null where it has none.</param>
    /// <exception cref="ConfigException">Names file, line and key, and what is allowed.</exception>
    public static IReadOnlyList<TaskOptions> Read(ConfigValue list, string folder, int seed, int? context = null) =>
        [.. list.List(Words).Select(value => ReadOne(value, folder, seed, context))];

    private static TaskOptions ReadOne(ConfigValue value, string folder, int seed, int? context)
    {
        if (value.Node is not YamlMapping map) throw value.Error("is no task", Words);
        string[] keys = [.. Kinds.Select(kind => kind.Key)];
        var key = new ConfigMap(value, map).Require(TaskSection.KindKey, string.Join(", ", keys)).Word(keys);
        var section = new TaskSection(value, folder, seed, context);
        try
        {
            var options = Kinds.Single(kind => kind.Key == key).Read(section) with { Name = section.Name };
            options.Validate();
            return options;
        }
        catch (ConfigException e) when (!e.Message.StartsWith(value.File + ":", StringComparison.Ordinal))
        {
            throw new ConfigException($"{section.Place}: {e.Message}", e);
        }
    }
}
