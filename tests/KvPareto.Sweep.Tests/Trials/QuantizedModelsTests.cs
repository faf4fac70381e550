using KvPareto.Engine.Checkpoints;
using KvPareto.Sweep.Running;
using KvPareto.Testing;

namespace KvPareto.Sweep.Tests.Trials;

public class QuantizedModelsTests
{
    private sealed class Layers : IProgress<SweepEvent>
    {
        public int Count { get; private set; }

        public void Report(SweepEvent value) => Count += value is WeightsMade ? 1 : 0;
    }

    [Fact]
    public void Run_MakesWeightsOnce_TheSameThatQuantizeMakes()
    {
        using var temp = new ScratchFolder();
        Variants.Write(temp);
        var before = Environment.GetEnvironmentVariable(UserCache.Variable);
        Environment.SetEnvironmentVariable(UserCache.Variable, temp["cache"]);
        try
        {
            var (first, second, other) = (new Layers(), new Layers(), new Layers());
            const string Facts = "{task: embedded, kind: fact, samples: 2, length: 96}";
            const string Made =
                "[{name: tiny, path: model, weights: [w16, awq: {group: 32, calibration: text.txt, samples: 4, tokens: 64}]}]";
            var made = Variants.Run(Variants.Config(temp, Made, tasks: Facts), temp["made"], first);
            var again = Variants.Run(Variants.Config(temp, Made, tasks: Facts), temp["again"], second);
            Assert.Equal((2, 0), (first.Count, second.Count));
            Assert.Equal(FakeSweep.WithoutTimes(made), FakeSweep.WithoutTimes(again));

            var folder = Assert.Single(Directory.GetDirectories(temp["cache"] + "/weights"));
            foreach (var file in Directory.GetFiles(temp["awq"]))
                Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(folder, Path.GetFileName(file))));
            Assert.Equal(
                "made with text.txt, 4 texts of 64 tokens", made.Results.Single(result => result.Setting == "awq4g32a16-k16v16")
                    .WeightSource);

            Variants.Run(
                Variants.Config(temp, Made.Replace("samples: 4", "samples: 3", StringComparison.Ordinal), tasks: Facts), temp["other"],
                    other);
            Assert.Equal((2, 2), (other.Count, Directory.GetDirectories(temp["cache"] + "/weights").Length));
        }
        finally
        {
            Environment.SetEnvironmentVariable(UserCache.Variable, before);
        }
    }
}
