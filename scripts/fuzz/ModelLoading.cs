using KvPareto.Cpu;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Memory;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;

namespace Fuzz;

/// <summary>What is done with a model file that opens: its peaks are predicted, its weights loaded and a token made.</summary>
internal static class ModelLoading
{
    // Random weights give numbers of any size: sums that overflow are no fault of the file's reader.
    public static void Try(Random random, Func<Checkpoint> open, bool isPacked = false)
    {
        using var backend = new CpuBackend(1);
        using var checkpoint = open();
        var setting =
            InferenceSetting.Parse(
            random.Next(isPacked ? 16 : 4) switch { 0 => "w4g32a16-k16v16", 1 => "w8g32a16-e4-k16v16", _ => "w16a16-k16v16" });
        new MemoryModel(backend.Layout, checkpoint).Predict(setting, 3, 2);
        using var weights = TransformerWeights.Load(backend, checkpoint, setting.Weights);
        try
        {
            new Generator(new Transformer(backend, checkpoint.Config, weights), setting).Generate([1, 2, 3], 2);
        }
        catch (ArithmeticException)
        {
        }
    }
}
