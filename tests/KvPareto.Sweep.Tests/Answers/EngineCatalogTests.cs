using KvPareto.Engine.Settings;
using KvPareto.Sweep.Answers.Engines;

namespace KvPareto.Sweep.Tests.Answers;

public class EngineCatalogTests
{
    private const int Tokens = 32_128;

    /// <summary>The cache types of each engine, by setting: those that it documents, or null where it has none.</summary>
    public static TheoryData<string, string, string?> CacheTypes => new()
    {
        { "llama.cpp", "w16a16-k16v16-c256", null },
        { "llama.cpp", "w16a16-k8v8-t32-c256", "--cache-type-k q8_0 --cache-type-v q8_0" },
        { "llama.cpp", "w16a16-k8v4-t32-c256", "--cache-type-k q8_0 --cache-type-v q4_0" },
        { "llama.cpp", "w16a16-k16v4-t32-c256", "--cache-type-k f16 --cache-type-v q4_0" },
        { "vLLM", "w16a16-k16v16-c256", "--kv-cache-dtype auto" },
        { "vLLM", "w16a16-k8v8-t64-c256", "--kv-cache-dtype int8_per_token_head" },
        { "vLLM", "w16a16-k8v4-t64-c256", "--kv-cache-dtype turboquant_k8v4" },
        { "vLLM", "w16a16-k4v4-t64-c256", "--kv-cache-dtype int4_per_token_head" },
        { "vLLM", "w16a16-k2v2-t64-c256", null },
        { "LMDeploy", "w16a16-k16v16-c256", "--quant-policy 0" },
        { "LMDeploy", "w16a16-k8v8-t64-c256", "--quant-policy 8" },
        { "LMDeploy", "w16a16-k4v4-t64-c256", "--quant-policy 4" },
        { "LMDeploy", "w16a16-k4v2-t64-c256", "--backend pytorch --quant-policy 42" },
        { "LMDeploy", "w16a16-k8v2-t64-c256", null },
        { "exllamav3", "w16a16-k16v16-c256", null },
        { "exllamav3", "w16a16-k8v2-t32-c256", "-cq 8,2" },
        { "exllamav3", "w16a16-k16v4-t32-c256", "-cq 8,4" },
        { "transformers", "w16a16-k16v16-c256", null },
        { "transformers", "w16a16-k4v4-t64-recent128-c256",
            "\"nbits\": 4, \"axis_key\": 1, \"axis_value\": 1, \"q_group_size\": 64, \"residual_length\": 128}" },
        { "transformers", "w16a16-k8v2-t32-c256",
            "\"nbits\": 8, \"axis_key\": 1, \"axis_value\": 1, \"q_group_size\": 32, \"residual_length\": 1}" },
    };

    [Theory]
    [MemberData(nameof(CacheTypes))]
    public void Cache_HasTheEnginesOwnWord(string engine, string setting, string? words)
    {
        var command = Answer(engine, setting).Lines.Last();
        if (words is not null) Assert.Contains(words, command, StringComparison.Ordinal);
        else Assert.DoesNotContain(CacheOption(engine), command, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("llama.cpp", "-c 32128 ", "-ub 256")]
    [InlineData("vLLM", "--max-model-len 32128", "--enable-chunked-prefill --max-num-batched-tokens 256")]
    [InlineData("LMDeploy", "--session-len 32128", "--max-prefill-token-num 256")]
    [InlineData("exllamav3", "-cs 32256 ", "-chunk_size 256")]
    [InlineData("transformers", "model.generate(", "prefill_chunk_size=256,")]
    public void ContextAndChunk_AreSaid(string engine, string context, string chunk)
    {
        var command = Answer(engine, "w16a16-k16v16-c256").Lines.Last();
        Assert.Contains(context, command, StringComparison.Ordinal);
        Assert.Contains(chunk, command, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("vLLM", "--no-enable-chunked-prefill --max-num-batched-tokens 32128")]
    [InlineData("llama.cpp", "-b 32128 -ub 32128")]
    [InlineData("LMDeploy", "--max-prefill-token-num 32128")]
    public void WholePrompt_IsOneStep(string engine, string words) =>
        Assert.Contains(words, Answer(engine, "w16a16-k16v16").Lines.Last(), StringComparison.Ordinal);

    /// <summary>Codes by round to nearest and by AWQ travel in AutoAWQ's format; where an engine cannot read them, it is said.</summary>
    [Theory]
    [InlineData("vLLM", "w4g64a16-k16v16", "kvpareto quantize MODEL --method rtn --bits 4 --group 64 --out AWQ-DIR", "vllm serve AWQ-DIR")]
    [InlineData("vLLM", "awq4g128a16-k16v16", "kvpareto quantize MODEL --method awq --bits 4 --group 128 --out AWQ-DIR",
        "vllm serve AWQ-DIR")]
    [InlineData("LMDeploy", "awq4g128a16-k16v16", "kvpareto quantize MODEL --method awq --bits 4 --group 128 --out AWQ-DIR",
        "--model-format awq")]
    [InlineData("transformers", "w4a16-k16v16", "kvpareto quantize MODEL --method rtn --bits 4 --group 128 --out AWQ-DIR",
        "model.generate(")]
    [InlineData("exllamav3", "w4a16-k16v16", "python convert.py -i MODEL -o EXL3-DIR -w WORK-DIR -b 4.0", "-m EXL3-DIR")]
    [InlineData("llama.cpp", "w8a16-k16v16",
        "llama-quantize --token-embedding-type f16 --output-tensor-type f16 MODEL-f16.gguf MODEL-q8_0.gguf Q8_0",
        "-m MODEL-q8_0.gguf")]
    [InlineData("llama.cpp", "w4a16-e8-k16v16",
        "llama-quantize --token-embedding-type q8_0 --output-tensor-type q8_0 MODEL-f16.gguf MODEL-q4_1.gguf Q4_1",
        "-m MODEL-q4_1.gguf")]
    [InlineData("llama.cpp", "q4_k_ma16-k16v16", "llama-server -m MODEL-q4_k_m.gguf", "-m MODEL-q4_k_m.gguf")]
    public void Weights_AreMadeWithTheEnginesTools(string engine, string setting, string making, string running)
    {
        string[] lines = [.. Answer(engine, setting).Lines];
        Assert.StartsWith(making, lines[0], StringComparison.Ordinal);
        Assert.Contains(running, lines[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("LMDeploy", "w4g64a16-k16v16", "reads AWQ's groups of 128, not of 64")]
    [InlineData("LMDeploy", "w8a16-k16v16", "has no kernel for AWQ's format with 8 bits; it reads 4")]
    [InlineData("llama.cpp", "awq4g128a16-k16v16", "has no AWQ weights")]
    [InlineData("llama.cpp", "w16a16-k2v2-t32", "has no cache type of 2 bits")]
    [InlineData("llama.cpp", "w16a16-k4v4-t32-math", "reads coded values with flash attention only")]
    [InlineData("llama.cpp", "w16a16-k8v4-t32", "GGML_CUDA_FA_ALL_QUANTS")]
    [InlineData("llama.cpp", "w16a16-k8v8-ch32", "not by channel:32")]
    [InlineData("vLLM", "w16a16-k4v2-t64", "has no cache type with 4-bit keys and 2-bit values")]
    [InlineData("vLLM", "w16a16-k4v4-t64-smooth", "has no option for smoothed keys")]
    [InlineData("vLLM", "w16a16-k4v4-t64-sink32", "has no option for the first 32 tokens at 16 bits")]
    [InlineData("vLLM", "w16a16-e8-k4v4-t64", "keeps embedding and output head at 16 bits")]
    [InlineData("LMDeploy", "w16a16-k8v4-t64", "has no policy with 8-bit keys and 4-bit values")]
    [InlineData("exllamav3", "w16a16-k16v4-t32", "codes both sides or neither")]
    [InlineData("transformers", "w16a16-k8v4-t64", "has one number of bits for keys and values; here it is 8")]
    [InlineData("transformers", "w16a16-k4v4-t64-rotk", "has no option for rotation before coding")]
    public void WhatCannotBeSaid_StandsInWords(string engine, string setting, string words) =>
        Assert.Contains(Answer(engine, setting).Differences, difference => difference.Contains(words, StringComparison.Ordinal));

    [Fact]
    public void EdgeLayers_AreNamedWhereTheirNumberIsKnown()
    {
        var setting = InferenceSetting.Parse("w16a16-k8v8-t64-edge1");
        var known = EngineCatalog.Answers(setting, Tokens, 28).Single(answer => answer.Engine == "vLLM");
        Assert.Contains("--kv-cache-dtype-skip-layers 0 27", known.Lines.Last(), StringComparison.Ordinal);
        var unknown = EngineCatalog.Answers(setting, Tokens, null).Single(answer => answer.Engine == "vLLM");
        Assert.Contains(unknown.Differences, difference => difference.Contains("1 layer at either end", StringComparison.Ordinal));
    }

    [Fact]
    public void SettingThatAllCanSay_HasNoDifferences()
    {
        foreach (var answer in EngineCatalog.Answers(InferenceSetting.Parse("w16a16-k16v16-c256"), Tokens, 32))
            Assert.Empty(answer.Differences);
    }

    private static EngineAnswer Answer(string engine, string setting) =>
        EngineCatalog.Answers(InferenceSetting.Parse(setting), Tokens, 32).Single(answer => answer.Engine == engine);

    private static string CacheOption(string engine) => engine switch
    {
        "llama.cpp" => "--cache-type",
        "vLLM" => "--kv-cache-dtype ",
        "LMDeploy" => "--quant-policy",
        "exllamav3" => "-cq",
        _ => "cache_config",
    };
}
