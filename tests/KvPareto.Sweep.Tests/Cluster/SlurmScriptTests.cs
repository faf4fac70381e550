using System.Diagnostics;
using KvPareto.Sweep.Cluster;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Cluster;

public sealed class SlurmScriptTests : IDisposable
{
    private const int Interrupted = 130;

    private const string Forever = "while :; do sleep 0.05; done";

    private readonly ScratchFolder _folder = new();

    [Fact]
    public void Script_AsksForWhatTheProfileSays()
    {
        var profile = Profile("""
            workers: 8
            concurrency: 4
            partition: gpu
            gres: gpu:h200:1
            time: "1-12:00:00"
            cpus: 16
            memory: 96G
            warning: 300
            setup: [module load cuda]
            container: apptainer exec --nv kvpareto.sif
            program: /opt/kvpareto
            options: [--exclude=node7, --exclusive]
            """);
        var script = SlurmScript.Write("small sweep", "/home/me/it's.yaml", "/shared/runs/a/", profile, "unused");
        Assert.Equal(
            """
            #!/bin/bash
            #SBATCH --job-name=kvpareto-small-sweep
            #SBATCH --array=0-7%4
            #SBATCH --partition=gpu
            #SBATCH --gres=gpu:h200:1
            #SBATCH --time=1-12:00:00
            #SBATCH --cpus-per-task=16
            #SBATCH --mem=96G
            #SBATCH --exclude=node7
            #SBATCH --exclusive
            #SBATCH --output=/shared/runs/a.slurm/%A_%a.log
            #SBATCH --open-mode=append
            #SBATCH --requeue
            #SBATCH --signal=B:USR1@300

            module load cuda

            """.ReplaceLineEndings("\n"),
            script[..script.IndexOf("# USR1", StringComparison.Ordinal)]);
        Assert.Contains(
            "apptainer exec --nv kvpareto.sif /opt/kvpareto sweep '/home/me/it'\\''s.yaml' \\\n  --out '/shared/runs/a/' --resume --worker "
                + "\"slurm-$SLURM_ARRAY_JOB_ID-$SLURM_ARRAY_TASK_ID\" \\\n  --device 'cuda' &\n",
            script, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 0, "", 0, "")]
    [InlineData("", 1, "", 1, "")]
    [InlineData("USR1", 0, "", 0, "requeue 7_3\n")] // the time is nearly over
    [InlineData("TERM", 0, "", Interrupted, "")] // cancelled or preempted: Slurm itself puts back what comes back
    [InlineData("USR1", 0, "requeue: false", Interrupted, "")]
    public void Job_EndsAsItsWorkerDoes_AndComesBackWhenItsTimeIsOver(
        string signal, int ownCode, string more, int code, string requeued)
    {
        var wait = signal.Length > 0 ? Forever : $"exit {ownCode}";
        using var job = StartJob($"trap 'exit {Interrupted}' TERM\necho ready >> {_folder["ready"]}\n{wait}\n", more);
        Assert.True(SpinWait.SpinUntil(() => File.Exists(_folder["ready"]), TimeSpan.FromSeconds(30)));
        if (signal.Length > 0) using (var kill = Process.Start("kill", ["-" + signal, $"{job.Id}"])) kill.WaitForExit();
        Assert.Equal((code, requeued), (CodeOf(job), File.ReadAllText(_folder["requeued"])));
    }

    /// <summary>A signal may come while the worker is being started: this script sends it to itself just before.</summary>
    [Fact]
    public void Job_EndsWhenASignalCameBeforeItsWorker()
    {
        const int killed = 128 + 15;
        using var job = StartJob($"trap 'exit {Interrupted}' TERM\n{Forever}\n", "container: \"kill -TERM $$;\"");
        Assert.True(CodeOf(job) is killed or Interrupted); // before or after the worker's own trap
    }

    [Theory]
    [InlineData("partition: gpu", "key 'workers' is missing")]
    [InlineData("workers: 0", "key 'workers' is 0, out of range")]
    [InlineData("workers: 2\nqueue: gpu", ":2: key 'queue' is unknown; allowed: workers, concurrency, partition")]
    [InlineData("workers: 2\npartition: \"a b\"", "key 'partition' is 'a b'; allowed: letters, digits")]
    [InlineData("workers: 2\ngres: \"gpu:1\\n#SBATCH --uid=0\"", "key 'gres' is")]
    [InlineData("workers: 2\nsetup: [\"a\\nb\"]", "key 'setup[0]' has several lines")]
    [InlineData("workers: 2\noptions: [exclusive]", "key 'options[0]' is 'exclusive'; allowed: --name")]
    public void Profile_IsReadStrictly(string yaml, string words)
    {
        var error = Assert.Throws<ConfigException>(() => Profile(yaml));
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Profile_MayBeginWithAByteOrderMark() => Assert.Equal(3, Profile("\uFEFFworkers: 3").Workers);

    /// <summary>A config without a name has that of its file.</summary>
    [Fact]
    public void JobName_HasNoMarksOfTheShell() => Assert.Contains(
        "#SBATCH --job-name=kvpareto-it-s-a--2-\n", SlurmScript.Write("it's a (2)", "/c.yaml", "/a", Profile("workers: 1"), "kvpareto"),
        StringComparison.Ordinal);

    [Fact]
    public void RunFolder_MustFitIntoALineOfTheScript() => Assert.Contains(
        "allowed: a path without blanks",
        Assert.Throws<ConfigException>(() => SlurmScript.Write("x", "/c.yaml", "/a b", Profile("workers: 1"), "kvpareto")).Message,
        StringComparison.Ordinal);

    public void Dispose() => _folder.Dispose();

    /// <summary>Starts a job's script, whose worker is a shell script too; what it asks of scontrol stands in the file
    /// "requeued".</summary>
    private Process StartJob(string worker, string more)
    {
        var program = Executable("worker", worker);
        Executable("scontrol", $"echo \"$*\" >> {_folder["requeued"]}\n");
        File.WriteAllText(_folder["requeued"], "");
        var profile = Profile($"workers: 4\nprogram: {program}\n{more}\n");
        var script = _folder.Write("job.sh", SlurmScript.Write("x", "/c.yaml", _folder["run"], profile, "unused"));
        var start = new ProcessStartInfo("bash") { ArgumentList = { script } };
        start.Environment["PATH"] = $"{_folder.Root}:{Environment.GetEnvironmentVariable("PATH")}";
        (start.Environment["SLURM_ARRAY_JOB_ID"], start.Environment["SLURM_ARRAY_TASK_ID"]) = ("7", "3");
        return Process.Start(start)!;
    }

    private static int CodeOf(Process job)
    {
        var ended = job.WaitForExit(TimeSpan.FromSeconds(30));
        if (!ended) job.Kill(entireProcessTree: true);
        Assert.True(ended);
        return job.ExitCode;
    }

    private SlurmProfile Profile(string yaml) => SlurmProfile.Load(_folder.Write("profile.yaml", yaml));

    private string Executable(string name, string content)
    {
        var path = _folder.Write(name, "#!/bin/bash\n" + content);
        using var chmod = Process.Start("chmod", ["+x", path]);
        chmod.WaitForExit();
        return path;
    }
}
