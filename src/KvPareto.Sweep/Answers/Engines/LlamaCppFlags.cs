using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using static System.FormattableString;

namespace KvPareto.Sweep.Answers.Engines;

/// <summary>llama.cpp's <c>llama-server</c> (options as of its tools/server/README.md, October 2026).</summary>
internal static class LlamaCppFlags
{
    /// <summary>Cache types by bits: those that every build has kernels for.</summary>
    private static readonly Dictionary<int, string> CacheTypes = new() { [32] = "f32", [16] = "f16", [8] = "q8_0", [4] = "q4_0" };

    /// <summary>Types of <c>llama-quantize</c> by bits that round to nearest.</summary>
    private static readonly Dictionary<int, string> WeightTypes = new() { [16] = "F16", [8] = "Q8_0", [4] = "Q4_1" };

    /// <summary>The command and what differs.</summary>
    public static EngineAnswer For(EngineRequest request)
    {
        var setting = request.Setting;
        var (commands, differences) = (new List<IReadOnlyList<string>>(), new List<string>());
        var file = Weights(setting.Weights, commands, differences);
        var (keys, values) = (Type(request.Bits.Keys, "keys", differences), Type(request.Bits.Values, "values", differences));
        List<string> command = ["llama-server", $"-m {file}", Invariant($"-c {request.Tokens}")];
        if (request.IsCoded) command.AddRange([$"--cache-type-k {keys}", $"--cache-type-v {values}"]);
        var isWhole = setting.Chunk is null;
        var step = setting.Chunk ?? request.Tokens;
        command.AddRange([Invariant($"-b {Math.Max(step, isWhole ? 1 : 2048)}"), Invariant($"-ub {step}")]);
        var codedValues = request.Bits.Values < 16;
        command.Add(setting.Attention == AttentionKernel.Math && !codedValues ? "--flash-attn off" : "--flash-attn on");
        command.Add("--parallel 1");
        commands.Add(command);

        if (setting.Attention == AttentionKernel.Math && codedValues) differences.Add("reads coded values with flash attention only");
        if (request.IsCoded && keys != values)
            differences.Add("on CUDA mixed cache types need a build with GGML_CUDA_FA_ALL_QUANTS, or attention runs on the processor");
        if (request.IsCoded && !request.Has(new KvGranularity(KvAxis.Token, 32)))
            differences.Add($"codes caches in blocks of 32 channels of a token, not by {request.Granularity}");
        if (keys == "q4_0" || values == "q4_0") differences.Add("q4_0 has no zero point; q4_1 has one, at 5 bits an element");
        if (request.IsCoded && setting.Cache.Rotation == KvRotation.None) differences.Add("rotates what it codes by itself (since #21038)");
        differences.AddRange(request.Unsaid(CachePart.Rotation));
        return new("llama.cpp", commands, differences);
    }

    private static string Weights(WeightSpec weights, List<IReadOnlyList<string>> commands, List<string> differences)
    {
        if (weights.Method == "gguf") return $"MODEL-{weights.Form!.Word}.gguf";
        if (weights.Method == "none" && weights.EmbeddingBits == 16) return "MODEL-f16.gguf";
        var type = weights.Method == "awq" ? "Q4_K_M" : WeightTypes[weights.CodeBits];
        var embedding = WeightTypes[weights.EmbeddingBits].ToLowerInvariant();
        var file = $"MODEL-{type.ToLowerInvariant()}.gguf";
        commands.Add(
        [
            $"llama-quantize --token-embedding-type {embedding}", $"--output-tensor-type {embedding}", "MODEL-f16.gguf", file, type,
        ]);
        if (weights.Method == "awq") differences.Add("has no AWQ weights; Q4_K_M comes nearest in bytes and accuracy");
        else differences.Add(Invariant($"codes weights in blocks of 32, here they are of {weights.Group}"));
        return file;
    }

    private static string Type(int bits, string side, List<string> differences)
    {
        if (CacheTypes.TryGetValue(bits, out var type)) return type;
        differences.Add(Invariant($"has no cache type of {bits} bits; q4_0 stands for the {side}, at more than twice the bytes"));
        return CacheTypes[4];
    }
}
