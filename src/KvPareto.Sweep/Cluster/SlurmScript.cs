using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Cluster;

/// <summary>
/// The batch script of a sweep under Slurm: an array of jobs, each a worker on the one run folder. A job is told before its time is over,
/// ends between two tokens, and is put back into the queue; what Slurm preempts or loses comes back by itself, and the folder is gone
/// on with.
/// </summary>
public static partial class SlurmScript
{
    /// <summary>The folder of the script and the jobs' logs, beside the run's.</summary>
    public static string FolderOf(string run) => Path.GetFullPath(run).TrimEnd(Path.DirectorySeparatorChar) + ".slurm";

    /// <summary>The script.</summary>
    /// <param name="name">Name of the sweep.</param>
    /// <param name="config">Path of the config.</param>
    /// <param name="run">Path of the run folder, which every node must see.</param>
    /// <param name="profile">How jobs are asked for.</param>
    /// <param name="program">The program where the profile names none.</param>
    /// <exception cref="ConfigException">A path cannot stand in a script.</exception>
    public static string Write(string name, string config, string run, SlurmProfile profile, string program)
    {
        ArgumentNullException.ThrowIfNull(profile);
        var logs = FolderOf(run);
        if (logs.Any(character => char.IsControl(character) || char.IsWhiteSpace(character)))
            throw new ConfigException($"--out: {OneLine.Of(run)} stands in a line of the script; allowed: a path without blanks");
        var script = new StringBuilder("#!/bin/bash\n");
        Option($"--job-name=kvpareto-{NotOfAName().Replace(name, "-")}");
        var limit = profile.Concurrency is { } most && most < profile.Workers ? $"%{most}" : "";
        Option($"--array=0-{profile.Workers - 1}{limit}");
        foreach (var option in profile.Options) Option(option);
        // The log's own marks: array and number in it.
        Option($"--output={logs.Replace("%", "%%", StringComparison.Ordinal)}/%A_%a.log");
        Option("--open-mode=append");
        Option(profile.Requeue ? "--requeue" : "--no-requeue");
        Option($"--signal=B:USR1@{profile.Warning}");
        script.Append('\n');
        foreach (var line in profile.Setup) script.Append(line).Append('\n');
        script.Append(string.Create(CultureInfo.InvariantCulture, $$"""
            # USR1: the time is nearly over. TERM: cancelled or preempted. (What a script starts with & does not hear INT.)
            # A signal that comes before the worker's number is known waits for it.
            again= ended= worker=
            finish() { if [ -n "$worker" ]; then kill -TERM "$worker" 2>/dev/null; else ended=1; fi; }
            trap 'again=1; finish' USR1
            trap finish INT TERM

            {{(profile.Container.Length > 0 ? profile.Container + " " : "")}}{{profile.Program ?? program}} sweep {{Quoted(config)}} \
              --out {{Quoted(Path.GetFullPath(run))}} --resume --worker "slurm-$SLURM_ARRAY_JOB_ID-$SLURM_ARRAY_TASK_ID" \
              --device {{Quoted(profile.Device)}} &
            worker=$!
            [ -z "$ended" ] || finish
            # A trap ends the waiting, not the worker; how that ended is remembered.
            while kill -0 "$worker" 2>/dev/null; do wait "$worker"; done
            wait "$worker"
            code=$?

            """));
        if (profile.Requeue)
            script.Append("""
                if [ -n "$again" ] && [ "$code" -eq 130 ]; then
                  exec scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
                fi

                """);
        return script.Append("exit \"$code\"\n").ToString();

        void Option(string option) => script.Append("#SBATCH ").Append(option).Append('\n');
    }

    /// <summary>A word of the shell.</summary>
    /// <exception cref="ConfigException">It has control characters.</exception>
    public static string Quoted(string text) => text.Any(char.IsControl)
        ? throw new ConfigException($"'{OneLine.Of(text)}' has control characters; allowed: a path without them")
        : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    // A config without a name has that of its file, which may hold anything.
    [GeneratedRegex(@"[^\p{L}\p{N}._-]")]
    private static partial Regex NotOfAName();
}
