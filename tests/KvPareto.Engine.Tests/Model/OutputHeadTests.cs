using KvPareto.Cpu;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Model;

public class OutputHeadTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Load_GivesTheLogitsOfTheModelsOwn_AndGivesItsMemoryBack(bool tied)
    {
        using var scratch = new ScratchFolder();
        using var checkpoint = SafeTensorsCheckpoint.Open(new TinyModel { Tied = tied }.Write(scratch["model"]));
        using var backend = new CpuBackend(2);
        using var weights = TransformerWeights.Load(backend, checkpoint, WeightSpec.Full);
        var transformer = new Transformer(backend, checkpoint.Config, weights);
        var states = new Generator(transformer, new InferenceSetting()).Feed(Enumerable.Range(3, 70).ToArray());
        var before = backend.Memory.Live;
        using (var head = OutputHead.Load(backend, checkpoint))
        {
            Assert.Equal(transformer.Head.Format, head.Format);
            using var own = new LogitReader(backend, checkpoint.Config, transformer.Head);
            using var alone = new LogitReader(backend, checkpoint.Config, head);
            foreach (var (first, count) in new[] { (0, 64), (64, 6), (69, 1) })
                Assert.Equal(own.Read(states, first, count).ToArray(), alone.Read(states, first, count).ToArray());
        }
        Assert.Equal(before, backend.Memory.Live);
        transformer.Head.Dispose();
        Assert.Equal(before, backend.Memory.Live);
    }

    [Fact]
    public void Load_RefusesAMissingTensor_AndKeepsNothing()
    {
        using var scratch = new ScratchFolder();
        var folder = new TinyModel { Tied = true }.Write(scratch["model"]);
        File.WriteAllText(Path.Combine(folder, "config.json"), new TinyModel().Config().ToJsonString());
        using var checkpoint = SafeTensorsCheckpoint.Open(folder);
        using var backend = new CpuBackend(1);
        var before = backend.Memory.Live;
        Assert.Contains(
            "lm_head.weight", Assert.Throws<ConfigException>(() => OutputHead.Load(backend, checkpoint)).Message, StringComparison.Ordinal);
        Assert.Equal(before, backend.Memory.Live);
    }

    [Fact]
    public void Reader_LeavesNothingBehindWhereThereIsNoRoomForLogits()
    {
        using var scratch = new ScratchFolder();
        using var checkpoint = SafeTensorsCheckpoint.Open(new TinyModel().Write(scratch["model"]));
        using var backend = new RecordingBackend { Room = 1 };
        using var head = OutputHead.Load(backend, checkpoint);
        var before = backend.Memory.Live;
        Assert.Throws<InsufficientMemoryException>(() => new LogitReader(backend, checkpoint.Config, head));
        Assert.Equal(before, backend.Memory.Live);
    }
}
