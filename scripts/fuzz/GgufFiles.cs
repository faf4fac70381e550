using System.Text;
using KvPareto.Engine.Checkpoints.Gguf;

namespace Fuzz;

/// <summary>GGUF files with keys, types, lengths and places of which some lie, whole, split and damaged.</summary>
internal sealed class GgufFiles : HostileKind
{
    private static readonly uint[] Types = [0, 1, 30, 2, 3, 6, 7, 8, 20];

    private static readonly string[] Keys =
    [
        "attention.sliding_window", "rope.freq_base", "rope.scaling.type", "rope.scaling.factor", "rope.scale_linear",
            "rope.scaling.original_context_length", "rope.scaling.attn_factor",
        "rope.dimension_count", "attention.key_length", "attention.value_length", "expert_count", "embedding_scale", "residual_scale",
            "attention.scale", "logit_scale", "vocab_size", "x",
    ];

    public override string Name => "gguf";

    public override void Run(Random random, string folder)
    {
        var name = Rarely(random, 6) ? "m-00001-of-00002.gguf" : "m.gguf";
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, ModelFiles.Damaged(random, Build(random)));
        if (name != "m.gguf" && !Rarely(random, 4))
            File.WriteAllBytes(Path.Combine(folder, "m-00002-of-00002.gguf"), ModelFiles.Damaged(random, Build(random)));
        ModelLoading.Try(random, () => GgufCheckpoint.Open(path));
    }

    private static byte[] Build(Random random)
    {
        var architecture = Pick(random, "llama", "llama", "llama", "granite", "granite", "smollm3", "smollm3", "qwen2", "qwen3", "phi3");
        var pairs = new List<Action<BinaryWriter>> { writer => Pair(writer, "general.architecture", 8, () => Text(writer, architecture)) };
        foreach (var (key, value) in new (string, int)[]
        {
            ("embedding_length", ModelFiles.Hidden), ("block_count", 2), ("feed_forward_length", ModelFiles.FeedForward),
                ("attention.head_count", 4), ("attention.head_count_kv", 2), ("context_length", 256),
        })
            if (!Rarely(random, 100))
                pairs.Add(writer =>
                    Pair(writer, $"{architecture}.{key}", 4, () =>
                        writer.Write(Rarely(random, 60) ? (int)ModelFiles.Number(random) : value)));
        pairs.Add(writer => Pair(writer, $"{architecture}.attention.layer_norm_rms_epsilon", 6, () => writer.Write(1e-5f)));
        for (var left = Rarely(random, 2) ? random.Next(4) : 0; left > 0; left--)
        {
            var key = Rarely(random, 4)
                ? Pick(random, "split.no", "split.count", "split.tensors.count", "general.alignment", "general.type")
                : $"{architecture}.{Pick<string>(random, Keys)}";
            pairs.Add(writer => Any(writer, random, key));
        }
        return Assemble(random, pairs);
    }

    private static byte[] Assemble(Random random, List<Action<BinaryWriter>> pairs)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        var tensors = ModelFiles.Tensors().Where(_ => !Rarely(random, 500)).ToArray();
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write(Rarely(random, 100) ? ModelFiles.Number(random) : tensors.Length);
        writer.Write(Rarely(random, 100) ? ModelFiles.Number(random) : pairs.Count);
        foreach (var pair in pairs) pair(writer);
        var at = 0L;
        foreach (var (name, shape) in tensors)
        {
            // Rows of 64 or 128 elements: blocks of 32.
            var type = shape.Length == 1 ? 0 : Types[random.Next(Types.Length)];
            Text(writer, GgufName(name));
            writer.Write(Rarely(random, 500) ? random.Next(9) : shape.Length);
            foreach (var length in shape.Reverse()) writer.Write(Rarely(random, 500) ? ModelFiles.Number(random) : length);
            writer.Write(Rarely(random, 500) ? (uint)random.Next(40) : type);
            writer.Write(Rarely(random, 500) ? ModelFiles.Number(random) : at);
            at += (shape.Aggregate(4, (product, length) => product * length) + 31) / 32 * 32;
        }
        writer.Write(new byte[(32 - stream.Length % 32) % 32]);
        var data = new byte[at];
        ModelFiles.Fill(random, data);
        writer.Write(data);
        return stream.ToArray();
    }

    private static void Any(BinaryWriter writer, Random random, string key)
    {
        switch (random.Next(6))
        {
            case 0: Pair(writer, key, 6, () => writer.Write(Pick(random, 0f, 1f, 4f, float.NaN, 1e30f, -1f))); break;
            case 1: Pair(writer, key, 8, () => Text(writer, Pick(random, "linear", "yarn", "none", "model", "adapter", ""))); break;
            case 2: Pair(writer, key, 7, () => writer.Write(Rarely(random, 2))); break;
            case 3: Pair(writer, key, 10, () => writer.Write(ModelFiles.Number(random))); break;
            case 4:
                Pair(writer, key, 9, () =>
                {
                    writer.Write((uint)random.Next(14));
                    writer.Write(Rarely(random, 4) ? ModelFiles.Number(random) : 2);
                    writer.Write(new byte[random.Next(40)]);
                });
                break;
            default: Pair(writer, key, 4, () => writer.Write(random.Next(64))); break;
        }
    }

    private static void Pair(BinaryWriter writer, string key, uint type, Action value)
    {
        Text(writer, key);
        writer.Write(type);
        value();
    }

    private static void Text(BinaryWriter writer, string text)
    {
        writer.Write((long)Encoding.UTF8.GetByteCount(text));
        writer.Write(Encoding.UTF8.GetBytes(text));
    }

    private static string GgufName(string name)
    {
        foreach (var (from, to) in new[]
        {
            ("model.layers.", "blk."), ("model.embed_tokens", "token_embd"), ("model.norm", "output_norm"),
                ("input_layernorm", "attn_norm"), ("post_attention_layernorm", "ffn_norm"),
            ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"),
                ("self_attn.o_proj", "attn_output"), ("mlp.gate_proj", "ffn_gate"),
            ("mlp.up_proj", "ffn_up"), ("mlp.down_proj", "ffn_down"),
        })
            name = name.Replace(from, to, StringComparison.Ordinal);
        return name;
    }
}
