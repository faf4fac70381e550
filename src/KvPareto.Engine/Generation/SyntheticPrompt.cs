namespace KvPareto.Engine.Generation;

/// <summary>Prompts that say nothing, to measure memory and latency at a length.</summary>
public static class SyntheticPrompt
{
    /// <summary>Ids that run through the vocabulary in steps of its golden section, so that neighbours lie far apart.</summary>
    /// <param name="count">How many.</param>
    /// <param name="vocabularySize">All are below.</param>
    public static int[] Ids(int count, int vocabularySize)
    {
        const ulong Step = 0x9E3779B97F4A7C15;
        var ids = new int[count];
        for (var i = 0; i < count; i++) ids[i] = (int)Math.BigMul(unchecked((ulong)(i + 1) * Step), (ulong)vocabularySize, out _);
        return ids;
    }
}
