using KvPareto.Engine.Settings;
using KvPareto.Engine.Speed;

namespace KvPareto.Sweep.Latency;

/// <summary>What is timed: every setting at every combination of lengths.</summary>
/// <param name="Settings">Settings, their chunks chosen.</param>
/// <param name="Depths">Tokens before the prompt.</param>
/// <param name="Prompts">Tokens of the prompt.</param>
/// <param name="NewTokens">Tokens generated.</param>
/// <param name="Sequences">Sequences whose later tokens are made together.</param>
/// <param name="Repeats">Timed runs of each, after one that is not.</param>
public sealed record BenchRequest(
    IReadOnlyList<InferenceSetting> Settings, IReadOnlyList<int> Depths, IReadOnlyList<int> Prompts, IReadOnlyList<int> NewTokens,
        IReadOnlyList<int> Sequences, int Repeats)
{
    /// <summary>All combinations of lengths that leave something to time, depths first.</summary>
    public IReadOnlyList<SpeedCase> Cases =>
    [
        .. from depth in Depths
           from prompt in Prompts
           from count in NewTokens
           from sequences in Sequences
           let lengths = new SpeedCase(depth, prompt, count, sequences)
           where lengths.Context > 0 && (prompt > 0 || lengths.Later > 0)
           select lengths,
    ];
}
