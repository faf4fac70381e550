using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Model;

namespace KvPareto.Testing;

/// <summary>A small random model as an ordinary Hugging Face folder; the same seed gives the same bytes.</summary>
public sealed record TinyModel
{
    private const string HeadName = "lm_head.weight";
    private const int MostKept = 1 << 16;

    // Tests write the same few models again and again.
    private static readonly ConcurrentDictionary<(int Hash, bool IsNorm, double Spread, long Count), float[]> Kept = new();

    /// <summary>llama, qwen2, qwen3 or mistral.</summary>
    public string Family { get; init; } = "llama";
    public int Layers { get; init; } = 2;
    public int Hidden { get; init; } = 64;
    public int QueryHeads { get; init; } = 4;
    public int KvHeads { get; init; } = 2;
    public int HeadDim { get; init; } = 32;
    public int FeedForward { get; init; } = 128;
    public int Vocabulary { get; init; } = 160;
    public int MaxPositions { get; init; } = 1024;
    public bool Tied { get; init; }

    /// <summary>Sliding window of all layers; qwen2 and qwen3 get <c>use_sliding_window</c> with it.</summary>
    public int? Window { get; init; }

    /// <summary>F32, F16 or BF16.</summary>
    public TensorType Type { get; init; } = TensorType.BF16;
    public int Seed { get; init; } = 1;

    /// <summary>More than one: shards with an index.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>Keys of <c>config.json</c> to add or replace; a null removes one.</summary>
    public IReadOnlyDictionary<string, JsonNode?> Overrides { get; init; } = new Dictionary<string, JsonNode?>();

    private bool HasQkvBias => Family == "qwen2";

    /// <summary>Writes <c>config.json</c> and the weights into <paramref name="folder"/>, and returns the folder.</summary>
    public string Write(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), Config().ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        var tensors = Tensors();
        if (Shards == 1)
        {
            WriteFile(Path.Combine(folder, "model.safetensors"), tensors);
            return folder;
        }
        var map = new JsonObject();
        foreach (var (number, shard) in tensors.Chunk((tensors.Count + Shards - 1) / Shards).Index())
        {
            var file = $"model-{number + 1:00000}-of-{Shards:00000}.safetensors";
            WriteFile(Path.Combine(folder, file), shard);
            foreach (var tensor in shard) map[tensor.Name] = file;
        }
        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), new JsonObject { ["weight_map"] = map }.ToJsonString());
        return folder;
    }

    /// <summary>The configuration that <see cref="Write"/> writes.</summary>
    public JsonObject Config()
    {
        var config = new JsonObject
        {
            ["model_type"] = Family,
            ["vocab_size"] = Vocabulary,
            ["hidden_size"] = Hidden,
            ["intermediate_size"] = FeedForward,
            ["num_hidden_layers"] = Layers,
            ["num_attention_heads"] = QueryHeads,
            ["num_key_value_heads"] = KvHeads,
            ["head_dim"] = HeadDim,
            ["hidden_act"] = "silu",
            ["rms_norm_eps"] = 1e-6,
            ["max_position_embeddings"] = MaxPositions,
            ["rope_theta"] = 10000.0,
            ["tie_word_embeddings"] = Tied,
            ["bos_token_id"] = 1,
            ["eos_token_id"] = 2,
        };
        if (Window is not null || Family == "mistral") config["sliding_window"] = Window;
        if (Window is not null && Family.StartsWith("qwen", StringComparison.Ordinal))
            (config["use_sliding_window"], config["max_window_layers"]) = (true, 0);
        foreach (var (key, value) in Overrides)
        {
            config.Remove(key);
            if (value is not null) config[key] = value.DeepClone();
        }
        return config;
    }

    /// <summary>Names and shapes in the order in which they draw their values.</summary>
    public IReadOnlyList<TensorSpec> Tensors()
    {
        var (queries, keys) = (QueryHeads * HeadDim, KvHeads * HeadDim);
        var all = new List<TensorSpec>();
        void Add(string name, params ReadOnlySpan<long> shape) => all.Add(new(name, Type, [.. shape]));

        Add("model.embed_tokens.weight", Vocabulary, Hidden);
        for (var layer = 0; layer < Layers; layer++)
        {
            var prefix = $"model.layers.{layer}";
            Add($"{prefix}.input_layernorm.weight", Hidden);
            foreach (var (name, rows) in new[] { ("q_proj", queries), ("k_proj", keys), ("v_proj", keys) })
            {
                Add($"{prefix}.self_attn.{name}.weight", rows, Hidden);
                if (HasQkvBias) Add($"{prefix}.self_attn.{name}.bias", rows);
            }
            Add($"{prefix}.self_attn.o_proj.weight", Hidden, queries);
            if (Family == "qwen3")
            {
                Add($"{prefix}.self_attn.q_norm.weight", HeadDim);
                Add($"{prefix}.self_attn.k_norm.weight", HeadDim);
            }
            Add($"{prefix}.post_attention_layernorm.weight", Hidden);
            Add($"{prefix}.mlp.gate_proj.weight", FeedForward, Hidden);
            Add($"{prefix}.mlp.up_proj.weight", FeedForward, Hidden);
            Add($"{prefix}.mlp.down_proj.weight", Hidden, FeedForward);
        }
        Add("model.norm.weight", Hidden);
        if (!Tied) Add(HeadName, Vocabulary, Hidden);
        return all;
    }

    private void WriteFile(string path, IReadOnlyCollection<TensorSpec> tensors)
    {
        using var writer = new SafeTensorsWriter(path, tensors, ImmutableDictionary<string, string>.Empty.Add("format", "pt"));
        foreach (var tensor in tensors) writer.Write(tensor.Name, Stored(Values(tensor)));
        writer.Complete();
    }

    /// <summary>The values of one tensor before they are rounded to <see cref="Type"/>.</summary>
    public float[] Values(TensorSpec tensor)
    {
        var isNorm = tensor.Name.EndsWith("norm.weight", StringComparison.Ordinal);
        var spread = isNorm ? 0.1 : tensor.Shape.Length == 1 ? 0.5 : 1 / Math.Sqrt(tensor.Shape[^1]);
        var count = tensor.Shape.Aggregate(1L, (product, length) => product * length);
        var hash = HashCodeOf(tensor.Name);
        return count <= MostKept
            ? [.. Kept.GetOrAdd((hash, isNorm, spread, count), key => Drawn(key.Hash, key.IsNorm, key.Spread, key.Count))]
            : Drawn(hash, isNorm, spread, count);
    }

    private static float[] Drawn(int seed, bool isNorm, double spread, long count)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (var i = 0; i < values.Length; i++)
        {
            var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            values[i] = (float)((isNorm ? 1 : 0) + spread * normal);
        }
        return values;
    }

    private byte[] Stored(float[] values) => Type switch
    {
        TensorType.F32 => MemoryMarshal.AsBytes(values.AsSpan()).ToArray(),
        TensorType.F16 => MemoryMarshal.AsBytes(Array.ConvertAll(values, value => (Half)value).AsSpan()).ToArray(),
        TensorType.BF16 => MemoryMarshal.AsBytes(Array.ConvertAll(values, ToBFloat16).AsSpan()).ToArray(),
        _ => throw new InvalidOperationException($"{Type} is not a weight type"),
    };

    private static ushort ToBFloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }

    // A string's own hash code differs from process to process.
    private int HashCodeOf(string name) => name.Aggregate(17 + Seed, (hash, letter) => unchecked(hash * 31 + letter));
}
