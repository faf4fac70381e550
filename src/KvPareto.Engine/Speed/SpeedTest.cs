using System.Diagnostics;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Speed;

/// <summary>
/// Times of a setting at given lengths, on prompts that say nothing. An end token ends nothing, so that each run has as many tokens as it
/// is asked for. The first run compiles what a device compiles and warms caches; <see cref="Warm"/> is that run.
/// </summary>
/// <param name="transformer">The model's weights at the setting's precision.</param>
/// <param name="setting">Setting.</param>
public sealed class SpeedTest(Transformer transformer, InferenceSetting setting)
{
    /// <summary>New tokens of a warm-up.</summary>
    private const int WarmTokens = 3;

    private Backend Backend => transformer.Backend;

    /// <summary>Runs once, so that nothing has to be compiled or fetched for the first time later.</summary>
    /// <exception cref="ConfigException">The setting does not fit the model, or the lengths do not.</exception>
    public void Warm(SpeedCase lengths, CancellationToken cancellation) =>
        Run(lengths with { NewTokens = Math.Min(lengths.NewTokens, WarmTokens) }, cancellation);

    /// <summary>One timed run.</summary>
    /// <exception cref="ConfigException">The setting does not fit the model, or the lengths do not.</exception>
    public SpeedRun Run(SpeedCase lengths, CancellationToken cancellation)
    {
        Check(transformer.Config, lengths);
        var ids = SyntheticPrompt.Ids(lengths.Context, transformer.Config.VocabularySize);
        var memory = Backend.Memory;
        memory.Restart(MemoryPhase.Prefill);
        memory.Restart(MemoryPhase.Decode);
        memory.Enter(MemoryPhase.Prefill);
        var step = Math.Max(setting.StepTokens(Math.Max(lengths.Depth, 1)), setting.StepTokens(Math.Max(lengths.Prompt, 1)));
        using var sequence = new Sequence(transformer, setting, lengths.Capacity, step);
        using var logits = new LastLogits(transformer, rows: 1);
        if (lengths.Depth > 0) sequence.Prefill(ids.AsSpan(0, lengths.Depth), setting.StepTokens(lengths.Depth), cancellation);
        Backend.Synchronize();

        TimeSpan? first = null;
        if (lengths.Prompt > 0)
        {
            var clock = Stopwatch.StartNew();
            logits.Read(sequence.Prefill(ids.AsSpan(lengths.Depth), setting.StepTokens(lengths.Prompt), cancellation));
            first = clock.Elapsed;
        }
        if (lengths.Later == 0) return new(first, null, memory.Peaks);
        sequence.Resize(1);
        memory.Enter(MemoryPhase.Decode);
        Backend.Synchronize();
        var decoding = Stopwatch.StartNew();
        for (var i = 0; i < lengths.Later; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            logits.Read(sequence.Feed([ids[i % ids.Length]]));
        }
        return new(first, decoding.Elapsed / lengths.Later, memory.Peaks);
    }

    /// <summary>Refuses lengths that a model was not made for.</summary>
    /// <exception cref="ConfigException">Nothing comes before the first new token, or there are more tokens than positions.</exception>
    public static void Check(ModelConfig config, SpeedCase lengths)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lengths.Depth);
        ArgumentOutOfRangeException.ThrowIfNegative(lengths.Prompt);
        ArgumentOutOfRangeException.ThrowIfNegative(lengths.NewTokens);
        if (lengths.Context == 0) throw new ConfigException("bench: no tokens before the first new one; allowed: a prompt or a depth");
        if (lengths.Capacity > config.MaxPositions)
            throw new ConfigException($"bench: {lengths.Capacity} tokens, but the model was made for {config.MaxPositions} "
                + "positions (max_position_embeddings); allowed: what they hold");
    }
}
