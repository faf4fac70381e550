using System.Runtime.InteropServices;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Model;

namespace KvPareto.Testing;

/// <summary>Expected values of a golden safetensors file.</summary>
public static unsafe class TensorFile
{
    /// <summary>An F32 tensor, row after row.</summary>
    public static float[] Floats(string path, string name) => Read<float>(path, name);

    /// <summary>An I32 or I64 tensor of token ids.</summary>
    public static int[] Ids(string path, string name)
    {
        using var file = SafeTensorsFile.Open(path);
        return file.Tensors[name].Type == TensorType.I32 ? Read<int>(path, name)
            : Array.ConvertAll(Read<long>(path, name), id => checked((int)id));
    }

    private static T[] Read<T>(string path, string name) where T : unmanaged
    {
        using var file = SafeTensorsFile.Open(path);
        var tensor = file.Tensors[name];
        return MemoryMarshal.Cast<byte, T>(new ReadOnlySpan<byte>((void*)tensor.Data, checked((int)tensor.ByteCount))).ToArray();
    }
}
