using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;
using Xunit;

namespace KvPareto.Testing.Conformance;

/// <summary>Inputs, and what results are compared by.</summary>
public abstract partial class BackendConformance
{
    private static int[] Positions(int from, int count) => [.. Enumerable.Range(from, count)];

    private static float[] Values(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 4 - 2))];
    }

    // Keys with a strong offset of their own in each channel, as Qwen's have, and one constant group.
    private static float[] Keys(int seed, int tokens, int width)
    {
        var keys = Values(seed, tokens * width);
        for (var i = 0; i < keys.Length; i++) keys[i] += i % width % 5 == 0 ? 6 : -1;
        keys.AsSpan(0, Math.Min(64, width)).Fill(0.37f);
        return keys;
    }

    private static unsafe Weight Upload(Backend backend, string name, int rows, int columns, float[] values, float[]? bias = null)
    {
        fixed (float* data = values) return backend.Upload(new HostWeight(name, WeightFormat.F32, rows, columns, data) { Bias = bias });
    }

    private static void AssertClose(double[] expected, float[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        var (difference, norm) = (0.0, 0.0);
        for (var i = 0; i < expected.Length; i++)
        {
            difference += (expected[i] - actual[i]) * (expected[i] - actual[i]);
            norm += expected[i] * expected[i];
        }
        Assert.True(Math.Sqrt(difference) <= tolerance * Math.Sqrt(norm),
            $"off by {Math.Sqrt(difference / norm):g3} relative; allowed {tolerance:g3}");
    }

    // What tensors of a type hold of numbers.
    private static float[] Rounded(float[] values, DType type) => type == DType.F32 ? values : Array.ConvertAll(values, value =>
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle(bits + 0x7fff + (bits >> 16 & 1) & 0xffff0000);
    });

    // A tensor as a column slice of a wider one whose other columns hold a value that must not change.
    private static Sliced Slice(Backend backend, int rows, int columns, DType type = DType.F32) => new(backend, rows, columns, type);

    private sealed class Sliced
    {
        private readonly int _margin;
        private readonly Backend _backend;
        private readonly Tensor _whole;

        public Sliced(Backend backend, int rows, int columns, DType type)
        {
            _backend = backend;
            _margin = type == DType.F32 ? 3 : 8; // rows of 16-bit numbers begin where kernels can read several at a time
            _whole = backend.Alloc(type, rows, columns + 2 * _margin);
            View = _whole.Columns(_margin, columns);
            backend.Write(Enumerable.Repeat(Poison, rows * _whole.ColumnCount).ToArray(), _whole);
        }

        public Tensor View { get; }

        public void Write(float[] values) => _backend.Write(values, View);

        public float[] Read()
        {
            var values = new float[View.RowCount * View.ColumnCount];
            _backend.Read(View, values);
            return values;
        }

        public void Poisoned() => Write(Enumerable.Repeat(Poison, View.RowCount * View.ColumnCount).ToArray());

        public void AssertPoisonUntouched()
        {
            var values = new float[_whole.RowCount * _whole.ColumnCount];
            _backend.Read(_whole, values);
            for (var row = 0; row < _whole.RowCount; row++)
            {
                var line = values.AsSpan(row * _whole.ColumnCount, _whole.ColumnCount);
                if (line[.._margin].ContainsAnyExcept(Poison) || line[^_margin..].ContainsAnyExcept(Poison))
                    Assert.Fail($"wrote beside row {row}");
            }
        }
    }
}
