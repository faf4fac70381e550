using System.Runtime.InteropServices;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Testing;

namespace KvPareto.Engine.Tests.Checkpoints.Awq;

/// <summary>The checkpoints made by AutoAWQ (Data/awq) and the layers of which they give values.</summary>
internal static class AwqGolden
{
    public static TheoryData<string, string> Layers() => new()
    {
        { "llama-g128", "model.layers.0.self_attn.k_proj" },
        { "llama-g128", "model.layers.1.mlp.down_proj" },
        { "qwen2-g64", "model.layers.0.self_attn.v_proj" },
        { "qwen2-g64", "model.layers.1.mlp.up_proj" },
    };

    public static string Folder(string model) => TestData.Golden("awq", model);

    public static string Expected(string model) => TestData.Golden("awq", model, "expected.safetensors");

    public static T[] Read<T>(string path, string name) where T : unmanaged
    {
        using var file = SafeTensorsFile.Open(path);
        return MemoryMarshal.Cast<byte, T>(file.Tensors[name].Bytes).ToArray();
    }
}
