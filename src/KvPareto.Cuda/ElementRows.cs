using System.Numerics.Tensors;
using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>Rows of a tensor's element type in host memory.</summary>
internal static unsafe class ElementRows
{
    /// <summary>Converts from f32.</summary>
    public static void Store(ReadOnlySpan<float> source, DType type, byte* row)
    {
        if (type == DType.F32) source.CopyTo(new Span<float>(row, source.Length));
        else if (type == DType.F16) TensorPrimitives.ConvertToHalf(source, new Span<Half>(row, source.Length));
        else for (var i = 0; i < source.Length; i++) ((ushort*)row)[i] = BFloat16.FromSingle(source[i]);
    }

    /// <summary>Converts to f32.</summary>
    public static void Load(byte* row, DType type, Span<float> destination)
    {
        if (type == DType.F32) new ReadOnlySpan<float>(row, destination.Length).CopyTo(destination);
        else if (type == DType.F16) TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(row, destination.Length), destination);
        else for (var i = 0; i < destination.Length; i++) destination[i] = BFloat16.ToSingle(((ushort*)row)[i]);
    }
}
