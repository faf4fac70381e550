using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cuda.Tests;

/// <summary>Weights of any format for tests.</summary>
internal static unsafe class TestWeights
{
    /// <summary>Numbers in [−1, 1).</summary>
    public static float[] Floats(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 2 - 1))];

    /// <summary>A weight of the values, which are replaced by what the format keeps of them.</summary>
    public static Weight Upload(CudaBackend backend, WeightFormat format, int group, int columns, float[] values, float[] bias)
    {
        var bits = format.CodeBits();
        var bytes = new byte[values.Length * 4];
        var groups = new GroupMeta[group == 0 ? 1 : values.Length / group];
        for (var i = 0; i < values.Length; i++)
        {
            if (format == WeightFormat.F32) BitConverter.TryWriteBytes(bytes.AsSpan(4 * i), values[i]);
            else if (format == WeightFormat.F16) BitConverter.TryWriteBytes(bytes.AsSpan(2 * i), (Half)values[i]);
            else if (format == WeightFormat.BF16) BitConverter.TryWriteBytes(bytes.AsSpan(2 * i), BFloat16.FromSingle(values[i]));
            else
            {
                if (i % group == 0)
                    groups[i / group] =
                        GroupCodec.Fit(values.AsSpan(i, group).ToArray().Min(), values.AsSpan(i, group).ToArray().Max(), bits);
                var code = GroupCodec.Encode(values[i], groups[i / group], bits);
                var stored = code - GroupCodec.MinCode(bits);
                bytes[i * bits / 8] |= (byte)(stored << i * bits % 8);
                values[i] = GroupCodec.Decode(code, groups[i / group]);
                continue;
            }
            values[i] = format == WeightFormat.F16 ? (float)(Half)values[i] : format == WeightFormat.BF16
                ? BFloat16.ToSingle(BFloat16.FromSingle(values[i])) : values[i];
        }
        // A group's extremes are found before its first value is replaced, since its codes are made in order.
        fixed (byte* data = bytes)
        fixed (GroupMeta* entries = groups)
            return backend.Upload(
                new HostWeight("w", format, values.Length / columns, columns, data) { GroupSize = group, Groups = entries, Bias = bias });
    }
}
