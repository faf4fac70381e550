using KvPareto.Sweep.Config;
using KvPareto.Tasks;
using KvPareto.Tasks.Fidelity;
using KvPareto.Tasks.Gsm8k;
using KvPareto.Tasks.LongBench;
using KvPareto.Tasks.Mmlu;
using KvPareto.Tasks.Niah;
using KvPareto.Tasks.Synthetic;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>Task entries of a config to tasks.</summary>
internal static class TaskCatalog
{
    /// <summary>The tasks in the config's order; reads their data.</summary>
    /// <exception cref="ConfigException">An entry's values do not go together, or its data are damaged.</exception>
    public static IReadOnlyList<SweepTask> Create(SweepConfig config) => [.. config.Tasks.Select(Create)];

    private static SweepTask Create(TaskEntry entry)
    {
        EvaluationTask task = entry switch
        {
            EmbeddedTaskEntry embedded => new SyntheticTask(Options(embedded)),
            LongBenchTaskEntry longBench => new LongBenchTask(Options(longBench)),
            FidelityTaskEntry fidelity => new FidelityTask(Options(fidelity)),
            NiahTaskEntry niah => new NiahTask(Options(niah)),
            Gsm8kTaskEntry gsm8k => new Gsm8kTask(Options(gsm8k)),
            MmluTaskEntry mmlu => new MmluTask(Options(mmlu)),
            _ => throw new ArgumentException($"no task is made of {entry.GetType().Name}", nameof(entry)),
        };
        return new(entry.Name ?? task.Name, task);
    }

    private static SyntheticOptions Options(EmbeddedTaskEntry entry)
    {
        var options = new SyntheticOptions
        {
            Kind = SyntheticOptions.ParseKind(entry.Kind),
            Count = entry.Samples,
            Length = entry.Length,
            Seed = entry.Seed,
        };
        return Valid(entry, options, options.Validate);
    }

    private static LongBenchOptions Options(LongBenchTaskEntry entry)
    {
        var options = new LongBenchOptions
        {
            File = entry.File,
            Limit = entry.Limit,
            MaxLength = entry.MaxLength,
            MaxNewTokens = entry.MaxNewTokens,
            Jieba = entry.Jieba,
        };
        return Valid(entry, options, options.Validate);
    }

    private static NiahOptions Options(NiahTaskEntry entry)
    {
        var options = new NiahOptions { Folder = entry.Folder, Lengths = entry.Lengths };
        options = options with
        {
            Depths = entry.Depths ?? options.Depths,
            Needles = entry.Needles is { } names ? [.. names.Select(Needle.Named)] : options.Needles,
            MaxNewTokens = entry.MaxNewTokens ?? options.MaxNewTokens,
        };
        return Valid(entry, options, options.Validate);
    }

    private static Gsm8kOptions Options(Gsm8kTaskEntry entry)
    {
        var options = new Gsm8kOptions
        {
            File = entry.File,
            ShotsFile = entry.ShotsFile,
            Shots = entry.Shots,
            Format = entry.Format,
            Chat = entry.Chat,
            Limit = entry.Limit,
        };
        options = options with { MaxNewTokens = entry.MaxNewTokens ?? options.MaxNewTokens };
        return Valid(entry, options, options.Validate);
    }

    private static MmluOptions Options(MmluTaskEntry entry)
    {
        var options = new MmluOptions { Folder = entry.Folder, Subjects = entry.Subjects, Limit = entry.Limit };
        options = options with { Shots = entry.Shots ?? options.Shots };
        return Valid(entry, options, options.Validate);
    }

    private static FidelityOptions Options(FidelityTaskEntry entry)
    {
        var options = new FidelityOptions { File = entry.Text };
        options = options with { Tokens = entry.Tokens ?? options.Tokens, Window = entry.Window ?? options.Window };
        return Valid(entry, options, options.Validate);
    }

    private static T Valid<T>(TaskEntry entry, T options, Action validate)
    {
        try
        {
            validate();
            return options;
        }
        catch (ConfigException e)
        {
            throw new ConfigException($"{entry.Place}: {e.Message}", e);
        }
    }
}
