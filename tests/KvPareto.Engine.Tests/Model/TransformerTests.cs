using KvPareto.Cpu;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Testing;

namespace KvPareto.Engine.Tests.Model;

public class TransformerTests
{
    // Sums of f32 in another order.
    private const float Tolerance = 1e-4f;

    /// <summary>Steps of 12, 7 and 12 tokens and a last of 3 at once, against one after the other: each appends by itself, with scales of
    /// its own, and sees none of a later one.</summary>
    [Theory]
    [InlineData("llama", "w16a16-k32v32")]
    [InlineData("qwen3", "w16a16-k16v16")]
    [InlineData("mistral", "w16a16-k8v8-tensor")]
    public void StepsTogether_AreThoseOneByOne(string family, string name)
    {
        int[] lengths = [12, 7, 12, 3];
        using var scratch = new ScratchFolder();
        using var checkpoint = SafeTensorsCheckpoint.Open(new TinyModel { Family = family }.Write(scratch["model"]));
        using var backend = new CpuBackend(2);
        var setting = InferenceSetting.Parse(name);
        using var weights = TransformerWeights.Load(backend, checkpoint, setting.Weights);
        var transformer = new Transformer(backend, checkpoint.Config, weights);
        var (total, width) = (lengths.Sum(), checkpoint.Config.HiddenSize);
        var geometry = transformer.Geometry(total);
        using var workspace = backend.CreateWorkspace(new WorkspaceShape(total, total, geometry, AttentionKernel.Flash));
        using var activations = new TransformerActivations(backend, checkpoint.Config, total);
        float[] Run(bool together)
        {
            using var cache = backend.CreateCache(geometry, setting.Cache, total);
            var values = new float[total * width];
            var steps = new List<Step>();
            for (var (i, from) = (0, 0); i < lengths.Length; from += lengths[i++])
            {
                var positions = Enumerable.Range(from, lengths[i]).ToArray();
                steps.Add(backend.Begin(workspace, [.. positions.Select(p => p * 7 % 160)], positions, cache));
                if (!together) backend.Read(transformer.Forward(steps[i], activations), values.AsSpan(from * width));
            }
            if (together) backend.Read(transformer.Forward(steps.ToArray(), activations), values);
            return values;
        }
        var expected = Run(false);
        var actual = Run(true);
        var largest = expected.Max(MathF.Abs);
        for (var i = 0; i < expected.Length; i++) Assert.InRange(actual[i] - expected[i], -Tolerance * largest, Tolerance * largest);
    }

    /// <summary>No backend is asked for room that it has not: one step a pass.</summary>
    [Fact]
    public void Activations_AreOfOneStep_WhereABackendLendsNone()
    {
        using var scratch = new ScratchFolder();
        using var checkpoint = SafeTensorsCheckpoint.Open(new TinyModel().Write(scratch["model"]));
        using var backend = new CpuBackend(1);
        using var weights = TransformerWeights.Load(backend, checkpoint, WeightSpec.Full);
        using var activations = new Transformer(backend, checkpoint.Config, weights).Activations(16, 4);
        Assert.Equal(1, activations.Steps);
        Assert.Equal(TransformerActivations.PredictByteCount(backend.Layout, checkpoint.Config, 16), backend.Memory.Live.Activations);
    }
}
