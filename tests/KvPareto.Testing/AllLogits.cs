using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;

namespace KvPareto.Testing;

/// <summary>Logits of short texts, all at once.</summary>
public static class AllLogits
{
    /// <summary>Logits [T, V] after every token of <paramref name="ids"/>.</summary>
    public static float[] Of(Transformer transformer, InferenceSetting setting, ReadOnlySpan<int> ids)
    {
        var vocabulary = transformer.Config.VocabularySize;
        var logits = new float[ids.Length * vocabulary];
        var states = new Generator(transformer, setting).Feed(ids);
        using var reader = new LogitReader(transformer.Backend, transformer.Config, transformer.Head);
        for (var first = 0; first < ids.Length; first += LogitReader.MaxRows)
            reader.Read(states, first, Math.Min(LogitReader.MaxRows, ids.Length - first)).CopyTo(logits.AsMemory(first * vocabulary));
        return logits;
    }
}
