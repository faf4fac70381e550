using System.Diagnostics;
using KvPareto.Engine.Cache;
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
        var sequences = new List<Sequence>();
        try
        {
            TimeSpan? first = null;
            for (var i = 0; i < lengths.Sequences; i++)
            {
                sequences.Add(new(transformer, setting, lengths.Capacity, step));
                var own = Read(sequences[i], ids, lengths, cancellation);
                first ??= own;
                if (lengths.Sequences > 1) sequences[i].ReleaseStep();
            }
            return new(first, lengths.Later == 0 ? null : TimeOfLater(sequences, ids, lengths, cancellation), memory.Peaks);
        }
        finally
        {
            foreach (var sequence in sequences) sequence.Dispose();
        }
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

    // The time of the prompt, if there is one.
    private TimeSpan? Read(Sequence sequence, int[] ids, SpeedCase lengths, CancellationToken cancellation)
    {
        using var logits = new LastLogits(transformer, rows: 1);
        if (lengths.Depth > 0)
            sequence.Prefill(ids.AsSpan(0, lengths.Depth), setting.StepTokens(lengths.Depth), prefixes: null, cancellation);
        Backend.Synchronize();
        if (lengths.Prompt == 0) return null;
        var clock = Stopwatch.StartNew();
        logits.Best(sequence.Prefill(ids.AsSpan(lengths.Depth), setting.StepTokens(lengths.Prompt), prefixes: null, cancellation));
        return clock.Elapsed;
    }

    private TimeSpan TimeOfLater(List<Sequence> sequences, int[] ids, SpeedCase lengths, CancellationToken cancellation)
    {
        using var joint = sequences.Count > 1 ? new JointSteps(transformer, setting.Attention, sequences.Count, lengths.Capacity) : null;
        using var logits = joint is null ? new LastLogits(transformer, rows: 1) : null;
        if (joint is null) sequences[0].Resize(1);
        Backend.Memory.Enter(MemoryPhase.Decode);
        KvCache[] caches = [.. sequences.Select(sequence => sequence.Cache)];
        var row = new int[caches.Length];
        Backend.Synchronize();
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < lengths.Later; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            Array.Fill(row, ids[i % ids.Length]);
            if (joint is not null) joint.Feed(row, caches);
            else logits!.Best(sequences[0].Feed(row));
        }
        return clock.Elapsed / lengths.Later;
    }
}
