using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;

namespace Fuzz;

/// <summary>Small well-formed model files, the ground of what the kinds make of them, and damage.</summary>
internal static class ModelFiles
{
    public const int Hidden = 64;
    public const int FeedForward = 128;
    public const int Vocabulary = 40;
    public const int KeyWidth = 32;

    private static readonly string[] Families = ["llama", "qwen2", "qwen3", "mistral", "granite", "phi3", "smollm3"];

    /// <summary>A <c>config.json</c> of two layers.</summary>
    public static JsonObject Config(Random random) => new()
    {
        ["model_type"] = Families[random.Next(Families.Length)],
        ["hidden_size"] = Hidden,
        ["intermediate_size"] = FeedForward,
        ["num_attention_heads"] = 4,
        ["num_key_value_heads"] = 2,
        ["num_hidden_layers"] = 2,
        ["head_dim"] = 16,
        ["vocab_size"] = Vocabulary,
        ["max_position_embeddings"] = 256,
        ["rms_norm_eps"] = 1e-5,
        ["rope_theta"] = 10000.0,
        ["tie_word_embeddings"] = true,
    };

    /// <summary>Names and shapes of the tensors of that configuration, of a family that fuses none.</summary>
    public static IEnumerable<(string Name, int[] Shape)> Tensors()
    {
        yield return ("model.embed_tokens.weight", [Vocabulary, Hidden]);
        yield return ("model.norm.weight", [Hidden]);
        for (var layer = 0; layer < 2; layer++)
        {
            foreach (var norm in new[] { "input_layernorm", "post_attention_layernorm" })
                yield return ($"model.layers.{layer}.{norm}.weight", [Hidden]);
            foreach (var (name, rows, columns) in Linear()) yield return ($"model.layers.{layer}.{name}.weight", [rows, columns]);
        }
    }

    /// <summary>The linear layers of a layer.</summary>
    public static (string Name, int Rows, int Columns)[] Linear() =>
    [
        ("self_attn.q_proj", Hidden, Hidden), ("self_attn.k_proj", KeyWidth, Hidden), ("self_attn.v_proj", KeyWidth, Hidden),
            ("self_attn.o_proj", Hidden, Hidden),
        ("mlp.gate_proj", FeedForward, Hidden), ("mlp.up_proj", FeedForward, Hidden), ("mlp.down_proj", Hidden, FeedForward),
    ];

    /// <summary>A safetensors file; the header says what it is told, whether or not the data is so.</summary>
    public static byte[] SafeTensors(Random random, IEnumerable<(string Name, string Type, long[] Shape, int Bytes)> tensors)
    {
        var (header, at) = (new JsonObject(), 0L);
        foreach (var (name, type, shape, bytes) in tensors)
        {
            header[name] = new JsonObject
            {
                ["dtype"] = type,
                ["shape"] = new JsonArray([.. shape.Select(length => (JsonNode)length)]),
                ["data_offsets"] = new JsonArray(at, at + bytes),
            };
            at += bytes;
        }
        var text = Encoding.UTF8.GetBytes(header.ToJsonString());
        var file = new byte[8 + text.Length + at];
        BinaryPrimitives.WriteUInt64LittleEndian(file, (ulong)text.Length);
        text.CopyTo(file, 8);
        Fill(random, file.AsSpan(8 + text.Length));
        return file;
    }

    /// <summary>Data of tensors: any bytes, or more often such as are small positive numbers in all types of numbers.</summary>
    public static void Fill(Random random, Span<byte> data)
    {
        random.NextBytes(data);
        if (random.Next(4) == 0) return;
        foreach (ref var value in data) value = (byte)(0x20 + value % 28);
    }

    /// <summary>Some bytes changed near the front, where headers are, or anywhere; or the end cut off.</summary>
    public static byte[] Damaged(Random random, byte[] file)
    {
        if (random.Next(2) == 0) return file;
        if (random.Next(4) == 0) return file[..random.Next(file.Length)];
        var reach = random.Next(2) == 0 ? Math.Min(file.Length, 4096) : file.Length;
        for (var left = random.Next(1, 6); left > 0; left--)
        {
            var at = random.Next(reach);
            file[at] = random.Next(
                3) switch { 0 => (byte)random.Next(256), 1 => (byte)(file[at] ^ 1 << random.Next(8)), _ => (byte)(random.Next(2) * 255) };
        }
        return file;
    }

    /// <summary>A number that sizes and offsets may be, seldom a sensible one.</summary>
    public static long Number(Random random) => random.Next(9) switch
    {
        0 => 0,
        1 => -1,
        2 => 1,
        3 => long.MaxValue,
        4 => int.MaxValue,
        5 => 1L << random.Next(63),
        6 => (1L << random.Next(63)) - 1,
        7 => random.Next(1 << 20),
        _ => random.Next(300),
    };
}
