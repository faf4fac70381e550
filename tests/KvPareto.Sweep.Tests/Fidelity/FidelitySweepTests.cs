using KvPareto.Cpu;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Fidelity;

/// <summary>Fidelity as a task beside one that generates, on a small random model.</summary>
public class FidelitySweepTests
{
    private const string Fidelity = "{task: fidelity, text: text.txt, tokens: 384, window: 128}";
    private const string Facts = "{task: embedded, kind: fact, samples: 2, length: 96}";

    [Fact]
    public void Run_ScoresTop1Agreement_AWindowASample()
    {
        using var temp = new ScratchFolder();
        var results = Run(temp, "run", Fidelity).ToDictionary(result => result.Setting);
        Assert.All(results.Values, result => Assert.Equal((TrialStatus.Ok, 3), (result.Status, result.Samples)));
        Assert.All(results.Values, result => Assert.Equal(3, result.Scores.Single().PerSample.Count));
        Assert.True(results["w16a16-k16v16"].Score > 99);
        Assert.True(results["w16a16-k2v2-t32-c64"].Score < results["w16a16-k8v8-t32-c64"].Score);

        var rows = FidelityRequestTests.Run(temp, FidelityRequestTests.Request(temp) with
        {
            Tokens = 384,
            Window = 128,
            Settings = [InferenceSetting.Parse("w4g32a16-k2v2-t32-c64")],
        }, folder: "verb");
        Assert.Equal(100 * rows[0].Top1, results["w4g32a16-k2v2-t32-c64"].Score!.Value, 9);
    }

    [Fact]
    public void Run_KeepsTheReferenceOutOfEveryPeak()
    {
        using var temp = new ScratchFolder();
        var alone = Run(temp, "alone", Facts).ToDictionary(result => result.Setting);
        foreach (var result in Run(temp, "both", $"{Facts}, {Fidelity}"))
        {
            var expected = alone[result.Setting];
            Assert.Equal(expected.Peaks.Load, result.Peaks.Load);
            Assert.Equal((expected.WeightBytes, expected.Peaks.Decode), (result.WeightBytes, result.Peaks.Decode));
            Assert.InRange(result.Peaks.Prefill.Total, expected.Peaks.Prefill.Total, (long)(1.5 * expected.Peaks.Prefill.Total));
        }
    }

    [Fact]
    public void Run_RefusesAWindowLongerThanTheModel()
    {
        using var temp = new ScratchFolder();
        var error = Assert.Throws<ConfigException>(() => Run(temp, "run", "{task: fidelity, text: text.txt, tokens: 2048, window: 2048}"));
        Assert.Contains("allowed: a prompt, and at most the 1024 positions of model 'model'", error.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<TrialResult> Run(ScratchFolder temp, string folder, string tasks)
    {
        FidelityRequestTests.Request(temp);
        var config = SweepConfig.Load(temp.Write("sweep.yaml", $$"""
            models: [model]
            tasks: [{{tasks}}]
            axes: {weights: [w16, w4g32], cache: [k8v8, k2v2], granularity: [t32], chunk: [64]}
            """));
        using var backend = new CpuBackend(2);
        var options = new SweepOptions { Backend = backend, Folder = temp[folder] };
        var results = SweepRunner.Run(config, options, null, TestContext.Current.CancellationToken).Results;
        Assert.Equal(0, backend.Memory.Live.Weights + backend.Memory.Live.KvCache + backend.Memory.Live.Activations);
        return results;
    }
}
