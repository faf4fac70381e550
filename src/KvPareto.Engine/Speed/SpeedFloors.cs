using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;

namespace KvPareto.Engine.Speed;

/// <summary>The least time that a run could take by what it must read and compute.</summary>
/// <param name="FirstTokenMs">
/// Of the prompt: the longer of its operations over the device's rate and all weights once over its bandwidth; null without a prompt.
/// </param>
/// <param name="LaterTokenMs">
/// Of a later token: weights and the caches so far over the bandwidth; null without one, or where no bandwidth is measured.
/// </param>
public sealed record SpeedFloors(double? FirstTokenMs, double? LaterTokenMs)
{
    /// <summary>The floors of a case.</summary>
    /// <param name="rates">The device's.</param>
    /// <param name="transformer">The model, whose weights are loaded at the setting's precision.</param>
    /// <param name="setting">Setting.</param>
    /// <param name="lengths">Lengths.</param>
    public static SpeedFloors Of(DeviceRates rates, Transformer transformer, InferenceSetting setting, SpeedCase lengths)
    {
        var config = transformer.Config;
        // Of an embedding a token reads one row, unless it is the output head too.
        var weights = transformer.WeightBytesRead;
        var cache = transformer.Backend.Layout.CacheBytes(config.Geometry, setting.Cache, lengths.Context + Math.Max(1, lengths.Later / 2));
        double? reading = rates.BytesPerSecond is { } bandwidth ? 1000 * weights / bandwidth : null;
        return new(
            lengths.Prompt == 0 ? null : Math.Max(1000 * Operations(config, lengths) / rates.OperationsPerSecond, reading ?? 0),
            lengths.Later == 0 || rates.BytesPerSecond is not { } rate ? null : 1000 * (weights + lengths.Sequences * cache) / rate);
    }

    /// <summary>Two operations a weight and token, and attention's two products over all earlier tokens.</summary>
    public static double Operations(ModelConfig config, SpeedCase lengths)
    {
        var weights = (double)config.LayerCount * (config.HiddenSize * (2.0 * config.QueryHeads * config.HeadDim
            + 2.0 * config.KvHeads * config.HeadDim + 3.0 * config.FeedForwardSize));
        var keys = lengths.Depth + lengths.Prompt / 2.0;
        return lengths.Prompt * (2 * weights + 4.0 * config.LayerCount * config.QueryHeads * config.HeadDim * keys);
    }
}
