using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Engine.Weights;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Memory;

/// <summary>
/// Predicts the peaks of a run from shapes alone. It goes through the allocations of <see cref="TransformerWeights.Load"/> and
/// <see cref="Generator.Generate"/> in their order, with sizes that the backend's own functions give, and marks them in a ledger
/// like the one that measures.
/// </summary>
/// <param name="layout">Sizes of the backend's allocations.</param>
/// <param name="checkpoint">Architecture and stored formats; no tensor of it is read.</param>
public sealed class MemoryModel(MemoryLayout layout, Checkpoint checkpoint)
{
    /// <summary>Most tokens of a context.</summary>
    public const int MostTokens = 1 << 24;

    private readonly TransformerShapes _shapes = TransformerShapes.Of(checkpoint.Config);

    private ModelConfig Config => checkpoint.Config;

    /// <summary>The peaks of loading the model at the setting's weight precision and of one generation.</summary>
    /// <param name="setting">Setting.</param>
    /// <param name="promptTokens">Tokens of the prompt, up to <see cref="MostTokens"/>.</param>
    /// <param name="newTokens">Tokens generated, at least one; the first one belongs to prefill.</param>
    /// <exception cref="ConfigException">The setting does not fit the model, or no device of the backend's kind.</exception>
    public MemoryPeaks Predict(InferenceSetting setting, int promptTokens, int newTokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(promptTokens);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(newTokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)promptTokens + newTokens, MostTokens, nameof(promptTokens));
        setting.Weights.Validate(checkpoint);
        layout.Check(Config.Geometry, setting.Cache);
        var ledger = new MemoryLedger();
        ledger.Add(MemoryCategory.Workspace, layout.FixedBytes);
        var products = 0L;
        foreach (var shape in _shapes.All) Load(ledger, shape, setting.Weights, ref products);
        // Attention may need the keys' biases; they are read again when all else is there.
        if (_shapes.Layers.All(layer => WeightLoader.HasBias(checkpoint, layer.Key)))
            foreach (var layer in _shapes.Layers) Stage(ledger, checkpoint.Stored(layer.Key.BiasName).WholeBytes);

        var capacity = Generator.CacheCapacity(promptTokens, newTokens);
        var prefill = PendingCompletion.Predict(layout, Config, setting, capacity, setting.StepTokens(promptTokens));
        ledger.Enter(MemoryPhase.Prefill);
        ledger.Add(MemoryCategory.KvCache, prefill.KvCache);
        ledger.Add(MemoryCategory.Activations, prefill.Activations);
        ledger.Add(MemoryCategory.Workspace, prefill.Workspace);
        if (newTokens == 1) return ledger.Peaks;

        var decode = PendingCompletion.Predict(layout, Config, setting, capacity, 1);
        ledger.Remove(MemoryCategory.Activations, prefill.Activations);
        ledger.Remove(MemoryCategory.Workspace, prefill.Workspace);
        ledger.Add(MemoryCategory.Activations, decode.Activations);
        ledger.Add(MemoryCategory.Workspace, decode.Workspace);
        ledger.Enter(MemoryPhase.Decode);
        return ledger.Peaks;
    }

    private void Load(MemoryLedger ledger, WeightShape shape, WeightSpec spec, ref long products)
    {
        var stored = WeightLoader.Stored(checkpoint, shape);
        if (shape.Role == WeightRole.Norm)
        {
            Stage(ledger, stored.WholeBytes);
            ledger.Add(MemoryCategory.Weights, layout.WeightBytes(WeightFormat.F32, 1, shape.Columns, 0, hasBias: false));
            return;
        }
        var hasBias = WeightLoader.HasBias(checkpoint, shape);
        var (format, group, codedBytes) = (stored.Format, stored.Group, 0L);
        if (WeightLoader.Bits(spec, shape.Role) is < 16 and var bits)
        {
            WeightCoder.RequireDividing(spec.Group, shape.Columns, shape.Name, checkpoint.Source);
            (format, group, codedBytes) =
                (WeightFormats.OfCodes(bits), WeightFormats.StoredGroup(spec.Group),
                WeightCoder.PredictByteCount(shape.Rows, shape.Columns, bits, spec.Group));
        }
        if (hasBias) Stage(ledger, checkpoint.Stored(shape.BiasName).WholeBytes);
        ledger.Add(MemoryCategory.Workspace, stored.StagingBytes);
        ledger.Add(MemoryCategory.Workspace, codedBytes);
        // What is coded or unpacked is read before the weight has its place; what stays as it is goes there while it is read.
        var isStaged = codedBytes > 0 || stored.Group > 0;
        if (isStaged) Stage(ledger, stored.ReadingBytes);
        if (layout.ProductBytes(format, shape.Rows, shape.Columns) is var needed && needed > products)
        {
            ledger.Remove(MemoryCategory.Workspace, products);
            ledger.Add(MemoryCategory.Workspace, products = needed);
        }
        ledger.Add(MemoryCategory.Weights, layout.WeightBytes(format, shape.Rows, shape.Columns, group, hasBias));
        if (!isStaged) Stage(ledger, stored.ReadingBytes);
        ledger.Remove(MemoryCategory.Workspace, codedBytes + stored.StagingBytes);
    }

    private static void Stage(MemoryLedger ledger, long bytes)
    {
        ledger.Add(MemoryCategory.Workspace, bytes);
        ledger.Remove(MemoryCategory.Workspace, bytes);
    }
}
