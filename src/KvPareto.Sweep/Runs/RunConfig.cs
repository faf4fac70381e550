using KvPareto.Sweep.Config;
using KvPareto.Sweep.Journaling;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Runs;

/// <summary>A run's config.</summary>
public static class RunConfig
{
    /// <summary>The config that a run folder was last worked on with, from its <c>run.json</c>.</summary>
    /// <param name="folder">Run folder.</param>
    /// <param name="models">Folders or embedded names that stand in for the config's own models; empty for those of the run.</param>
    /// <exception cref="ConfigException">There is no run, a file is damaged, or as for <see cref="SweepConfig.Load"/>.</exception>
    public static SweepConfig Read(string folder, params IReadOnlyList<string> models)
    {
        if (JournalReader.Read(folder).Run is not { } run)
            throw new ConfigException($"{folder}: holds no run; allowed for --resume without a config: the folder of an earlier sweep");
        return SweepConfigReader.Read(
            run.ConfigFile ?? run.Name + ".yaml", run.Config, run.ConfigFolder ?? Directory.GetCurrentDirectory(),
            models.Count > 0 ? models : run.ConfigModels ?? []);
    }
}
