using KvPareto.Cpu;
using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Trials;
using KvPareto.Testing;

namespace KvPareto.Sweep.Tests.Fidelity;

public class SettingsListTests
{
    /// <summary>A list that takes an hour to measure must not fail at its last line.</summary>
    [Fact]
    public void EverySettingOfTheReport_IsReadable_FitsSmolLm2_AndStandsOnce()
    {
        var lines = File.ReadAllLines(Path.Combine(TestData.RepositoryRoot, "scripts", "fidelity-report", "settings.txt"));
        string[] names = [.. lines.Where(line => line.Length > 0 && line[0] != '#')];
        Assert.InRange(names.Length, 60, 200);
        Assert.Equal(names.Length, names.Distinct().Count());

        using var temp = new ScratchFolder();
        var shape = new TinyModel { Layers = 6, Hidden = 576, QueryHeads = 9, KvHeads = 3, HeadDim = 64, FeedForward = 1536 };
        var config = ModelConfigReader.Read(temp.Write("config.json", shape.Config().ToJsonString()));
        using var backend = new CpuBackend(1);
        foreach (var name in names)
        {
            var setting = InferenceSetting.Parse(name);
            Assert.Equal(name, setting.Name);
            SettingFit.Check("SmolLM2", config, setting, backend);
        }
    }
}
