namespace KvPareto.Engine.Speed;

/// <summary>What is timed: a prompt and new tokens after so many earlier tokens.</summary>
/// <param name="Depth">Tokens in the cache before the prompt; their time does not count.</param>
/// <param name="Prompt">Tokens of the prompt; 0 to time new tokens alone, which takes a depth.</param>
/// <param name="NewTokens">Tokens generated; the first belongs to the prompt. 0 to time the prompt alone.</param>
/// <param name="Sequences">Sequences, each of these lengths, whose later tokens are made together.</param>
public readonly record struct SpeedCase(int Depth, int Prompt, int NewTokens, int Sequences = 1)
{
    /// <summary>Tokens before the first new one.</summary>
    public int Context => Depth + Prompt;

    /// <summary>Tokens that the cache must hold: the last new one is never fed back.</summary>
    public int Capacity => Math.Max(1, Context + Later);

    /// <summary>New tokens after the first one that a prompt gives.</summary>
    public int Later => Math.Max(0, Prompt > 0 ? NewTokens - 1 : NewTokens);
}
