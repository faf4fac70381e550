namespace KvPareto.Engine.Generation;

/// <summary>Where the passes of a prompt through the layers end. Its first tokens have two, for what prompts have in common is kept where
/// a pass ends (<see cref="PromptPrefixes"/>), and a few shots are hardly longer than one.</summary>
/// <param name="Chunk">Tokens of a step.</param>
/// <param name="Together">Tokens of the steps that are under way together, whole chunks: of a pass.</param>
internal readonly record struct PromptPasses(int Chunk, int Together)
{
    private const int FirstTokens = 512;

    private int First => Math.Min(Together, (FirstTokens + Chunk - 1) / Chunk * Chunk);

    /// <summary>The first end after <paramref name="tokens"/>.</summary>
    public int After(int tokens) => tokens < First ? First : (tokens / Together + 1) * Together;

    /// <summary>The last end up to <paramref name="tokens"/>; 0 before the first.</summary>
    public int UpTo(int tokens) => tokens < First ? 0 : tokens < Together ? First : tokens / Together * Together;
}
