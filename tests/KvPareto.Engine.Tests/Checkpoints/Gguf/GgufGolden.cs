using System.Text.Json;
using KvPareto.Engine.Checkpoints.Gguf;
using KvPareto.Engine.Model;
using KvPareto.Engine.Weights;
using KvPareto.Testing;

namespace KvPareto.Engine.Tests.Checkpoints.Gguf;

/// <summary>Ten files that llama.cpp's own tools wrote, and what is expected of them (Data/gguf; one of the ten only beside the
/// repository).</summary>
internal static class GgufGolden
{
    private static readonly string[] Names =
    [
        "llama128-F16", "llama128-BF16", "llama128-Q8_0", "llama128-Q4_1", "llama256-Q4_0", "llama256-Q4_K_M", "llama256-Q6_K",
            "llama128x-Q4_K_M",
        "qwen128-Q8_0", "qwen256-Q4_K_M",
    ];

    public static TheoryData<string> Models => [.. Names];

    /// <summary>A file; the calling test is skipped where it is not there.</summary>
    public static string PathOf(string file) =>
        File.Exists(TestData.Golden("gguf", file)) ? TestData.Golden("gguf", file) : TestData.SharedOrSkip("golden", "gguf", file);

    /// <summary>The expectations of one model's tensors.</summary>
    public static IEnumerable<JsonElement> Tensors(string model) => File.ReadLines(TestData.Golden("gguf", "tensors.jsonl"))
        .Select(line => JsonDocument.Parse(line).RootElement)
        .Where(tensor => tensor.GetProperty("file").GetString() == model);

    /// <summary>The weight format of a type by ggml's name.</summary>
    public static WeightFormat Format(string name) =>
        GgmlType.All.Single(type => type.Type.SafeTensorsName() == name).Format;
}
