using KvPareto.Cpu;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Memory;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Trials;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Trials;

public sealed class AutoChunkTests : IDisposable
{
    private const string Setting = "w4g64a16-k4v2-t64-cauto";
    private const long Mebi = 1 << 20;

    private readonly CpuBackend _backend = new(2);

    public void Dispose() => _backend.Dispose();

    [Theory]
    [InlineData(3 * Mebi)]
    [InlineData(2800 * 1024)]
    public void Prepare_TakesTheLargestChunkWithinTheMemory(long room)
    {
        var (setting, longest) = Prepared(room);
        var chunk = setting.Chunk!.Value;
        Assert.InRange(chunk, 2, longest - 1);
        Assert.True(Peak(setting, longest) <= room);
        Assert.True(Peak(setting with { Chunk = chunk + 1 }, longest) > room);
        Assert.Equal($"w4g64a16-k4v2-t64-c{chunk}", setting.Name);
    }

    [Fact]
    public void Prepare_TakesWholePromptsWhereTheyFit_AndOneTokenWhereNothingDoes()
    {
        Assert.Equal("w4g64a16-k4v2-t64", Prepared(1000 * Mebi).Setting.Name);
        Assert.Equal("w4g64a16-k4v2-t64-c1", Prepared(1000).Setting.Name);
    }

    [Fact]
    public void Sweep_MeasuresWithinTheMemory_UnderTheResolvedName()
    {
        using var temp = new ScratchFolder();
        var options = new SweepOptions { Backend = _backend, Folder = temp["run"], Room = 8 * Mebi };
        var history = SweepRunner.Run(Config("w16a16-k16v16-c32"), options);
        Assert.Equal(2, history.Results.Count);
        var result = history.Results[1];
        Assert.Equal(TrialStatus.Ok, result.Status);
        Assert.Matches("^w4g64a16-k4v2-t64(-c[0-9]+)?$", result.Setting);
        Assert.InRange(result.Peaks.Inference.Total, 1, 8 * Mebi);
    }

    [Fact]
    public void Name_IsReadBack_AndRefusedWhereNothingResolvesIt()
    {
        var setting = InferenceSetting.Parse(Setting);
        Assert.Equal((Setting, InferenceSetting.AutoChunk), (setting.Name, setting.Chunk));
        Assert.Throws<ConfigException>(() => InferenceSetting.Parse("w4a16-k4v2-t64-c0"));
        Assert.Throws<ConfigException>(() => InferenceSetting.Parse("w4a16-k4v2-t64-cnone"));
        var error = Assert.Throws<ConfigException>(() => Peak(setting, 100));
        Assert.Equal($"setting {Setting}: the chunk auto is known to sweeps alone; allowed: none, or a number of tokens", error.Message);
    }

    [Fact]
    public void Config_RefusesItAsBaseline()
    {
        var error = Assert.Throws<ConfigException>(() => Config("w16a16-k16v16-cauto"));
        Assert.Equal(
            "auto.yaml:4: key 'baseline' has the chunk auto, which another memory would change; allowed: a chunk cN, or none",
            error.Message);
    }

    private static SweepConfig Config(string baseline) => SweepConfigReader.Read("auto.yaml", $$"""
        models: [embedded:llama]
        tasks: [{task: embedded, kind: fact, samples: 1, length: 300}]
        settings: [{{Setting}}]
        baseline: {{baseline}}
        """, AppContext.BaseDirectory, []);

    private (InferenceSetting Setting, int Longest) Prepared(long room)
    {
        var config = Config("w16a16-k16v16-c32");
        var engine = new BackendTrialEngine(_backend, config.Template, room);
        var model = engine.Prepare(config.Models[0], SearchSpace.Expand(config, config.Models[0]), SweepTask.Of(config))[0];
        return (model.Settings[1], model.Tasks[0].Samples[0].PromptIds.Length);
    }

    private long Peak(InferenceSetting setting, int prompt)
    {
        using var checkpoint = ModelSource.Open("embedded:llama").OpenCheckpoint();
        return new MemoryModel(_backend.Layout, checkpoint).Predict(setting, prompt, MaxNewTokens).Inference.Total;
    }

    private int MaxNewTokens => SweepTask.Of(Config("w16a16-k16v16"))[0].Task is { } task
        ? task.Prepare(new(ModelSource.Open("embedded:llama").RequireTokenizer(), null, 1000))[0].MaxNewTokens : 1;
}
