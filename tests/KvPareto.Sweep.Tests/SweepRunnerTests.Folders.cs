using KvPareto.Sweep.Config;
using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests;

/// <summary>Folders that others work in or have worked in, and what is no folder of a run.</summary>
public partial class SweepRunnerTests
{
    [Fact]
    public void Run_RefusesOtherFilesOfAModelAndOtherModels()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["run"], new FakeEngine(), FakeSweep.Config("w16a16-k8v8-t64"));
        Refuses(FakeSweep.Config(), new FakeEngine { Files = "changed" }, "was begun with other files of model 'one'");
        var renamed = FakeSweep.Config();
        renamed = renamed with { Models = [.. renamed.Models.Select(model => model with { Name = "new " + model.Name })] };
        Refuses(renamed, new FakeEngine(), "holds a run of other models (one, two)");

        void Refuses(SweepConfig config, FakeEngine engine, string expected)
        {
            var error = Assert.Throws<ConfigException>(() => FakeSweep.Run(temp["run"], engine, config, resume: true));
            Assert.StartsWith($"{temp["run"]}: {expected}", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
            Assert.Equal(0, engine.Generated);
        }
    }

    /// <summary>Those who are at work would end with what they did not measure.</summary>
    [Fact]
    public void Run_RefusesAnotherPlanWhileOthersAreAtWork()
    {
        using var temp = new ScratchFolder();
        var error = Assert.Throws<ConfigException>(() => FakeSweep.Run(temp["run"], new FakeEngine
        {
            Before = (number, _, _) =>
            {
                if (number == 7) FakeSweep.Run(temp["run"], new FakeEngine(), FakeSweep.Config("w4a16-k8v8-t64"), worker: "other");
            },
        }, worker: "first"));
        Assert.StartsWith($"{temp["run"]}: process {Environment.ProcessId} on ", error.Message, StringComparison.Ordinal);
        Assert.Contains(" is at work on w16a16-k8v8-t64 of one (trial ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_RefusesAFolderThatIsNotEmpty_WithoutResume()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["run"], new FakeEngine());
        var before = Directory.GetFiles(temp["run"], "*", SearchOption.AllDirectories);
        var error = Assert.Throws<ConfigException>(() => FakeSweep.Run(temp["run"], new FakeEngine()));
        Assert.Contains("--resume", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFiles(temp["run"], "*", SearchOption.AllDirectories));
    }

    /// <summary>Peaks of trials with other scratch could not be compared.</summary>
    [Theory]
    [InlineData(1, "1 thread")]
    [InlineData(2, "2 threads")]
    public void Run_RefusesAnotherNumberOfThreads(int begun, string words)
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["run"], new FakeEngine { Workers = begun }, FakeSweep.Config("w16a16-k8v8-t64"));
        foreach (var worker in new[] { null, "other" })
        {
            var error = Assert.Throws<ConfigException>(
                () => FakeSweep.Run(temp["run"], new FakeEngine { Workers = 3 }, resume: true, worker: worker));
            Assert.Contains($"was begun with {words},", error.Message, StringComparison.Ordinal);
            Assert.Contains($"allowed: --threads {begun}", error.Message, StringComparison.Ordinal);
        }
        Assert.Equal(FakeSweep.Trials, FakeSweep.Run(temp["run"], new FakeEngine { Workers = begun }, resume: true).Results.Count);
    }

    [Fact]
    public void Run_RefusesToResumeWhatIsNoRun()
    {
        using var temp = new ScratchFolder();
        temp.Write("run/thesis.tex", "precious");
        var error = Assert.Throws<ConfigException>(() => FakeSweep.Run(temp["run"], new FakeEngine(), resume: true));
        Assert.Contains("holds no run", error.Message, StringComparison.Ordinal);
        Assert.Equal(["thesis.tex"], Directory.GetFileSystemEntries(temp["run"]).Select(Path.GetFileName));
    }

    [Fact]
    public void Run_ResumesAFolderThatDoesNotExistYet()
    {
        using var temp = new ScratchFolder();
        Assert.Equal(FakeSweep.Trials, FakeSweep.Run(temp["run"], new FakeEngine(), resume: true).Results.Count);
    }

    [Fact]
    public void Run_CancelledBetweenSamples_CanBeResumed()
    {
        using var temp = new ScratchFolder();
        using var source = new CancellationTokenSource();
        var first = new FakeEngine { Before = (number, _, _) => { if (number == 12) source.Cancel(); }, Cancellation = source.Token };
        Assert.Throws<OperationCanceledException>(() => FakeSweep.Run(temp["run"], first));

        var second = new FakeEngine();
        Assert.Equal(FakeSweep.Trials, FakeSweep.Run(temp["run"], second, resume: true).Results.Count);
        Assert.Equal(FakeSweep.Samples, first.Generated + second.Generated);
    }

    [Fact]
    public async Task Run_TwoWorkersShareAFolder()
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.WithoutTimes(FakeSweep.Run(temp["whole"], new FakeEngine()));
        var (a, b) = (new FakeEngine(), new FakeEngine());
        var other = Task.CompletedTask;
        using var waiting = new ManualResetEventSlim();
        // While worker a is at its 13th sample, worker b does everything that a does not hold, and then waits for a.
        a.Before = (number, _, _) =>
        {
            if (number != 12) return;
            var recorder = new Signal(waiting);
            other = Task.Run(
                () => Assert.Equal(FakeSweep.Trials, FakeSweep.Run(temp["run"], b, worker: "b", progress: recorder).Results.Count));
            Assert.True(waiting.Wait(TimeSpan.FromMinutes(1)));
        };
        var history = FakeSweep.Run(temp["run"], a, worker: "a");
        await other;
        Assert.Equal(whole, FakeSweep.WithoutTimes(history));
        Assert.Equal(whole, FakeSweep.WithoutTimes(RunHistory.Read(temp["run"])));
        // The other may have helped with what a had left then.
        Assert.Equal(FakeSweep.Samples, a.Generated + b.Generated);
        Assert.InRange(a.Generated, 13, 15);
    }

    [Fact]
    public async Task Run_TakesOverWhatAWorkerHeldThatDied()
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.WithoutTimes(FakeSweep.Run(temp["whole"], new FakeEngine()));
        using var waiting = new ManualResetEventSlim();
        var survivor = new FakeEngine();
        var other = Task.CompletedTask;
        var victim = new FakeEngine
        {
            Before = (number, _, _) =>
            {
                if (number != 12) return;
                other = Task.Run(() => FakeSweep.Run(temp["run"], survivor, worker: "b", progress: new Signal(waiting)));
                Assert.True(waiting.Wait(TimeSpan.FromMinutes(1)));
                throw new Killed();
            },
        };
        Assert.Throws<Killed>(() => FakeSweep.Run(temp["run"], victim, worker: "a"));
        await other;
        Assert.Equal(whole, FakeSweep.WithoutTimes(RunHistory.Read(temp["run"])));
        // The two samples that the dead one had of its last trial are not measured again.
        Assert.Equal(FakeSweep.Samples - 12, survivor.Generated);
    }

    [Fact]
    public async Task Run_AStoppedWorkerLosesItsTrial_AndWritesNothingWhenItWakes()
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.WithoutTimes(FakeSweep.Run(temp["whole"], new FakeEngine()));
        var never = new LeaseTimes(TimeSpan.FromDays(1), TimeSpan.FromDays(1));
        var survivor = new FakeEngine();
        var results = 0;
        var sleeper = new FakeEngine
        {
            // It stands still, its heart too, until another has done everything.
            Before = (number, _, _) =>
            {
                if (number != 12) return;
                var eager = new LeaseTimes(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(300));
                results = Task.Run(() => FakeSweep.Run(temp["run"], survivor, worker: "b", leases: eager)).GetAwaiter().GetResult()
                    .Results.Count;
            },
        };
        var log = await Task.Run(() => FakeSweep.Run(temp["run"], sleeper, worker: "a", leases: never));
        Assert.Equal(FakeSweep.Trials, results);
        Assert.Equal(whole, FakeSweep.WithoutTimes(log));
        Assert.Equal(whole, FakeSweep.WithoutTimes(RunHistory.Read(temp["run"])));
        // It measured one more sample than it could keep, and no more.
        Assert.Equal((13, FakeSweep.Samples - 12), (sleeper.Generated, survivor.Generated));
    }

    [Fact]
    public void Run_WorkersAtOnce_EndWithTheSameResults()
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.WithoutTimes(FakeSweep.Run(temp["whole"], new FakeEngine()));
        var engines = Enumerable.Range(0, 4).Select(_ => new FakeEngine()).ToArray();
        Parallel.For(0, engines.Length, i => FakeSweep.Run(temp["run"], engines[i], worker: $"w{i}"));
        Assert.Equal(whole, FakeSweep.WithoutTimes(RunHistory.Read(temp["run"])));
        Assert.Equal(FakeSweep.Samples, engines.Sum(engine => engine.Generated));
    }

    [Fact]
    public void Run_RefusesASecondRunOfOneName()
    {
        using var temp = new ScratchFolder();
        var error = Assert.Throws<ConfigException>(() => FakeSweep.Run(temp["run"], new FakeEngine
        {
            Before = (_, _, _) => FakeSweep.Run(temp["run"], new FakeEngine(), resume: true),
        }));
        Assert.Contains($"another run writes to it (process {Environment.ProcessId} on ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../evil")]
    [InlineData("a b")]
    public void Run_RefusesAWorkerThatIsNoFileName(string worker)
    {
        var options = new SweepOptions { Backend = null!, Folder = "unused", Worker = worker };
        Assert.Contains("--worker", Assert.Throws<ConfigException>(options.Validate).Message, StringComparison.Ordinal);
    }

    /// <summary>A run killed after any of the files it makes at its start.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("journal.jsonl.lock")]
    [InlineData("samples/")]
    [InlineData("samples/", "leases/")]
    [InlineData("samples/", "leases/", "leases/journal.1.abc.tmp")]
    [InlineData("samples/", "leases/journal.1", "journal.jsonl.abc.tmp")]
    [InlineData("samples/", "leases/journal.1", "journal.jsonl")]
    [InlineData("samples/", "leases/journal.1", "journal.jsonl", "run.json.abc.tmp")]
    [InlineData("samples/", "leases/journal.1", "journal.jsonl", "run.json")]
    [InlineData("samples/", "leases/journal.1", "journal.jsonl", "run.json", "torn")]
    public void Run_GoesOnWhereverItsStartWasKilled(params string[] made)
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["whole"], new FakeEngine());
        foreach (var resume in new[] { false, true })
        {
            var folder = temp[$"run-{resume}"];
            Directory.CreateDirectory(folder);
            foreach (var name in made.Where(name => name.Length > 0))
            {
                var path = Path.Combine(folder, name);
                if (name.EndsWith('/')) Directory.CreateDirectory(path);
                else if (name == "torn") File.WriteAllText(Path.Combine(folder, "journal.jsonl"), "{\"event\":\"run\",\"ru");
                else if (name == "run.json") File.Copy(temp["whole/run.json"], path);
                else temp.Write(path, Lease(name));
            }
            Assert.Equal(FakeSweep.Trials, FakeSweep.Run(folder, new FakeEngine(), resume: resume).Results.Count);
            Assert.Equal(
                ["journal.jsonl", "leases", "run.json", "samples"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName)
                    .Order());
            Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(folder, "leases")));
        }

        static string Lease(string name) => name == "leases/journal.1"
            ? System.Text.Json.JsonSerializer.Serialize(LeaseHolder.Here() with { Started = "1" }) + "\n"
            : "";
    }

    /// <summary>A disk that fails before there is a folder is no folder that vanished.</summary>
    [Fact]
    public void Run_ThatFailsBeforeThereIsAFolder_SaysWhatFailed()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine { NameOfFiles = _ => throw new IOException("weights.bin: the disk fails") };
        Assert.Equal("weights.bin: the disk fails", Assert.Throws<IOException>(() => FakeSweep.Run(temp["run"], engine)).Message);
        Assert.False(Directory.Exists(temp["run"]));
    }

    [Fact]
    public void Run_WhenItsFolderIsRemoved_EndsWithTheFoldersName()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine { Before = (number, _, _) => { if (number == 12) Directory.Delete(temp["run"], recursive: true); } };
        var error = Assert.Throws<ConfigException>(() => FakeSweep.Run(temp["run"], engine));
        Assert.StartsWith($"{temp["run"]}: was removed or renamed", error.Message, StringComparison.Ordinal);
        Assert.Equal(13, engine.Generated);
    }

    [Theory]
    [InlineData("journal.jsonl")]
    [InlineData("run.json")]
    [InlineData("samples")]
    [InlineData("leases")]
    [InlineData("log")]
    public void Run_NeverFollowsALinkInTheFolder(string name)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("needs symbolic links");
        using var temp = new ScratchFolder();
        Assert.Throws<Killed>(() => FakeSweep.Run(temp["run"], KilledAt(12)));
        var path = name == "log" ? Directory.GetFiles(temp["run/samples"]).Order().First() : temp[$"run/{name}"];
        Directory.Move(path, temp["elsewhere"]);
        File.AppendAllText(File.Exists(temp["elsewhere"]) ? temp["elsewhere"] : temp.Write("elsewhere/log.jsonl", ""), "torn");
        var before = Contents(temp["elsewhere"]);
        File.CreateSymbolicLink(path, temp["elsewhere"]);
        var error = Assert.Throws<ConfigException>(() => FakeSweep.Run(temp["run"], new FakeEngine(), resume: true));
        Assert.StartsWith($"{path}: is a symbolic link", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Contents(temp["elsewhere"]));

        static string[] Contents(string path) => Directory.Exists(path)
            ? [.. Directory.GetFiles(path).Order().Select(file => file + File.ReadAllText(file))]
            : [File.ReadAllText(path)];
    }
}
