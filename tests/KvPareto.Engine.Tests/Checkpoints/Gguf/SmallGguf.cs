namespace KvPareto.Engine.Tests.Checkpoints.Gguf;

/// <summary>The keys of a small architecture (two layers, H 64, heads of 16) with an embedding of 32 rows, and no other weights.</summary>
internal static class SmallGguf
{
    private const uint F32 = 0;
    private const uint F16 = 1;
    private const int EmbeddingBytes = 64 * 32 * 2;

    public static GgufBuilder Of(string architecture, byte[]? after = null)
    {
        var builder = new GgufBuilder { Data = [.. new byte[EmbeddingBytes], .. after ?? new byte[EmbeddingBytes]] }
            .Add("general.architecture", architecture).Add($"{architecture}.attention.layer_norm_rms_epsilon", 1e-5f);
        foreach (var (key, value) in new (string, uint)[]
        {
            ("embedding_length", 64), ("attention.head_count", 4), ("attention.head_count_kv", 4), ("block_count", 2),
                ("context_length", 100),
            ("feed_forward_length", 96),
        })
            builder.Add($"{architecture}.{key}", value);
        return builder.AddTensor("token_embd.weight", F16, 0, 64, 32);
    }

    /// <summary>Adds a bias [64] to such projections of both layers.</summary>
    public static GgufBuilder AddBiases(GgufBuilder builder, params string[] projections)
    {
        var names = projections.SelectMany(name => new[] { $"blk.0.{name}.bias", $"blk.1.{name}.bias" });
        foreach (var (index, name) in names.Index()) builder.AddTensor(name, F32, (ulong)(EmbeddingBytes + 64 * sizeof(float) * index), 64);
        return builder;
    }

    public static GgufBuilder WithRopeFactors(string architecture, float[] divisors) =>
        Of(architecture, [.. divisors.SelectMany(BitConverter.GetBytes)])
            .AddTensor("rope_freqs.weight", F32, EmbeddingBytes, (ulong)divisors.Length);
}
