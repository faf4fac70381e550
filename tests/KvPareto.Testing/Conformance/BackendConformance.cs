using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using Xunit;

namespace KvPareto.Testing.Conformance;

/// <summary>What every backend must do. A device adds a class that derives from this and says how to make its backend.</summary>
public abstract partial class BackendConformance
{
    private const float Poison = 1.2676506e30f; // 2^100, in any type
    private const int FirstSeed = 100;
    private const double Bf16Tolerance = 4e-3; // of results, which keep 8 bits

    /// <summary>Relative error of one op, norm of the difference over norm.</summary>
    protected virtual double OpTolerance => 2e-6;

    /// <summary>The same of attention.</summary>
    protected virtual double AttentionTolerance => 5 * OpTolerance;

    /// <summary>The same where rounding before coding can move a code that lies on the edge of two: a rotation, or a bias taken
    /// off.</summary>
    protected virtual double CodeEdgeTolerance => 3e-3;

    /// <summary>Types of queries, keys, values and results that have kernels of their own.</summary>
    protected virtual DType[] AttentionTypes => [DType.F32];

    /// <summary>A fresh backend; a device that is not there skips the test.</summary>
    protected abstract Backend Create();

    [Fact]
    public void Device_NamesTheInstructions_AndNoOrdinal()
    {
        using var backend = Create();
        Assert.Contains(backend.Instructions, backend.Device, StringComparison.Ordinal);
        Assert.Matches(@"^(PyTorch [0-9.]+, )?(AVX-512|AVX2|scalar|Arm64|compute capability [0-9]+\.[0-9])$", backend.Instructions);
        Assert.DoesNotContain("cuda:", backend.Device, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 96)]
    [InlineData(7, 33)]
    [InlineData(256, 64)]
    public void Embed_GathersRows(int tokens, int hidden)
    {
        using var backend = Create();
        using var run = new Run(backend, new KvGeometry(1, 1, 16, [0]), KvSpec.Full, tokens, tokens);
        var table = Values(11, 50 * hidden);
        using var weight = Upload(backend, "embedding", 50, hidden, table);
        var ids = Enumerable.Range(0, tokens).Select(t => t * 7 % 50).ToArray();
        var x = Slice(backend, tokens, hidden);
        var step = run.Begin(ids);
        backend.Embed(step, weight, x.View);
        for (var t = 0; t < tokens; t++)
            Assert.Equal(table.AsSpan(ids[t] * hidden, hidden).ToArray(), x.Read().AsSpan(t * hidden, hidden).ToArray());
        backend.Embed(step, weight, x.View, 54.5f);
        for (var t = 0; t < tokens; t++)
            Assert.Equal(
                Array.ConvertAll(table.AsSpan(ids[t] * hidden, hidden).ToArray(), value => 54.5f * value), x.Read()
                    .AsSpan(t * hidden, hidden).ToArray());
        x.AssertPoisonUntouched();
    }

    [Theory]
    [InlineData(1, 1, 576)]
    [InlineData(7, 1, 97)]
    [InlineData(256, 3, 64)]
    [InlineData(5, 6, 32)]
    public void RmsNorm_MatchesFormula(int tokens, int groups, int width)
    {
        using var backend = Create();
        var (input, gain) = (Values(1, tokens * groups * width), Values(2, width));
        using var weight = Upload(backend, "gain", 1, width, gain);
        var (x, y) = (Slice(backend, tokens, groups * width), Slice(backend, tokens, groups * width));
        x.Write(input);
        backend.RmsNorm(x.View, weight, 1e-5f, y.View);
        var expected = new double[input.Length];
        for (var g = 0; g < tokens * groups; g++)
        {
            var part = input.AsSpan(g * width, width);
            var sum = 0.0;
            foreach (var value in part) sum += (double)value * value;
            for (var i = 0; i < width; i++) expected[g * width + i] = part[i] / Math.Sqrt(sum / width + 1e-5f) * gain[i];
        }
        AssertClose(expected, y.Read(), OpTolerance);
        y.AssertPoisonUntouched();
        backend.RmsNorm(x.View, weight, 1e-5f, x.View);
        Assert.Equal(y.Read(), x.Read());
    }

    [Theory]
    [InlineData(1, 64, 96, true)]
    [InlineData(7, 100, 33, true)]
    [InlineData(256, 96, 224, false)]
    [InlineData(33, 576, 192, false)]
    public void Linear_MatchesFormula(int tokens, int inputs, int outputs, bool bias)
    {
        using var backend = Create();
        var (input, matrix) = (Values(3, tokens * inputs), Values(4, outputs * inputs));
        var offsets = bias ? Values(5, outputs) : null;
        using var weight = Upload(backend, "linear", outputs, inputs, matrix, offsets);
        var (x, y) = (Slice(backend, tokens, inputs), Slice(backend, tokens, outputs));
        x.Write(input);
        backend.Linear(x.View, weight, y.View);
        var expected = new double[tokens * outputs];
        for (var t = 0; t < tokens; t++)
        {
            for (var o = 0; o < outputs; o++)
            {
                var sum = (double)(offsets?[o] ?? 0);
                for (var i = 0; i < inputs; i++) sum += (double)input[t * inputs + i] * matrix[o * inputs + i];
                expected[t * outputs + o] = sum;
            }
        }
        AssertClose(expected, y.Read(), OpTolerance);
        y.AssertPoisonUntouched();
    }

    [Theory]
    [InlineData(1, 64, 2)]
    [InlineData(1, 1000, 3)]
    [InlineData(1, 64, 4)]
    [InlineData(7, 33, 4)]
    [InlineData(40, 96, 3)]
    public void LinearOfSeveral_IsEachByItself(int tokens, int inputs, int count)
    {
        using var backend = Create();
        int[] outputs = [.. new[] { 96, 17, 320, 5 }.Take(count)];
        var input = Values(3, tokens * inputs);
        var weights =
            outputs.Select((n, i) => Upload(backend, "linear", n, inputs, Values(40 + i, n * inputs), i == 1 ? Values(50, n) : null))
            .ToArray();
        var x = Slice(backend, tokens, inputs);
        x.Write(input);
        var (together, apart) =
            (outputs.Select(n => Slice(backend, tokens, n)).ToArray(), outputs.Select(n => Slice(backend, tokens, n)).ToArray());
        backend.Linear(x.View, weights, together.Select(y => y.View).ToArray());
        for (var i = 0; i < outputs.Length; i++)
        {
            backend.Linear(x.View, weights[i], apart[i].View);
            Assert.Equal(apart[i].Read(), together[i].Read());
            together[i].AssertPoisonUntouched();
            weights[i].Dispose();
        }
    }

    /// <summary>What stands for several ops gives what they give.</summary>
    [Theory]
    [InlineData(1, 576, 96)]
    [InlineData(7, 97, 33)]
    [InlineData(8, 64, 17)]
    [InlineData(33, 9000, 24)]
    public void NormedProducts_AreTheNormThenTheProducts(int tokens, int inputs, int outputs)
    {
        using var backend = Create();
        using var gain = Upload(backend, "gain", 1, inputs, Values(3, inputs));
        var weights = Enumerable.Range(0, 3)
            .Select(i => Upload(backend, "linear", outputs, inputs, Values(40 + i, outputs * inputs), i == 1 ? Values(50, outputs) : null))
            .ToArray();
        var (x, h) = (Slice(backend, tokens, inputs), Slice(backend, tokens, inputs));
        var (together, apart) =
            (weights.Select(_ => Slice(backend, tokens, outputs)).ToArray(), weights.Select(_ => Slice(backend, tokens, outputs))
            .ToArray());
        x.Write(Values(1, tokens * inputs));
        backend.RmsNorm(x.View, gain, 1e-5f, h.View);
        backend.Linear(h.View, weights, apart.Select(y => y.View).ToArray());
        backend.NormLinear(x.View, gain, 1e-5f, h.View, weights, together.Select(y => y.View).ToArray());
        for (var i = 0; i < weights.Length; i++)
            AssertClose([.. apart[i].Read().Select(value => (double)value)], together[i].Read(), OpTolerance);

        backend.SiluMul(apart[0].View, apart[1].View);
        backend.NormGated(x.View, gain, 1e-5f, h.View, weights[0], weights[1], together[0].View, together[1].View);
        AssertClose([.. apart[0].Read().Select(value => (double)value)], together[0].Read(), 4 * OpTolerance);
        Assert.Equal(Values(1, tokens * inputs), x.Read());
        foreach (var slice in together.Append(x).Append(h)) slice.AssertPoisonUntouched();
        foreach (var weight in weights) weight.Dispose();
    }

    [Theory]
    [InlineData(1, 576, 96)]
    [InlineData(7, 97, 33)]
    [InlineData(33, 256, 40)]
    public void LinearAdd_IsTheProductThenTheSum(int tokens, int inputs, int outputs)
    {
        using var backend = Create();
        using var weight = Upload(backend, "linear", outputs, inputs, Values(40, outputs * inputs), Values(50, outputs));
        var x = Slice(backend, tokens, inputs);
        var (y, apart, together) = (Slice(backend, tokens, outputs), Slice(backend, tokens, outputs), Slice(backend, tokens, outputs));
        x.Write(Values(1, tokens * inputs));
        apart.Write(Values(2, tokens * outputs));
        together.Write(Values(2, tokens * outputs));
        backend.Linear(x.View, weight, y.View);
        backend.Add(apart.View, y.View);
        backend.LinearAdd(x.View, weight, y.View, together.View);
        AssertClose([.. apart.Read().Select(value => (double)value)], together.Read(), OpTolerance);

        // The same where it is told of the norm that comes next.
        using var gain = Upload(backend, "gain", 1, outputs, Values(3, outputs));
        using var after = Upload(backend, "linear", inputs, outputs, Values(41, inputs * outputs));
        var (z, expected) = (Slice(backend, tokens, inputs), Slice(backend, tokens, inputs));
        backend.RmsNorm(apart.View, gain, 1e-5f, y.View);
        backend.Linear(y.View, after, expected.View);
        together.Write(Values(2, tokens * outputs));
        backend.LinearAdd(x.View, weight, y.View, together.View, gain);
        backend.NormLinear(together.View, gain, 1e-5f, y.View, [after], [z.View]);
        AssertClose([.. apart.Read().Select(value => (double)value)], together.Read(), OpTolerance);
        AssertClose([.. expected.Read().Select(value => (double)value)], z.Read(), 4 * OpTolerance);
        foreach (var slice in new[] { x, y, z, together }) slice.AssertPoisonUntouched();
    }

    [Theory]
    [InlineData(1, 17)]
    [InlineData(7, 224)]
    [InlineData(256, 1536)]
    public void SiluMul_And_Add_MatchFormulas(int tokens, int width)
    {
        using var backend = Create();
        var (a, b) = (Values(7, tokens * width), Values(8, tokens * width));
        var (gate, up) = (Slice(backend, tokens, width), Slice(backend, tokens, width));
        gate.Write(a);
        up.Write(b);
        backend.SiluMul(gate.View, up.View);
        AssertClose([.. a.Select((g, i) => g / (1 + Math.Exp(-g)) * b[i])], gate.Read(), OpTolerance);
        gate.AssertPoisonUntouched();
        gate.Write(a);
        backend.Add(gate.View, up.View);
        Assert.Equal(a.Zip(b, (p, q) => p + q), gate.Read());
        gate.AssertPoisonUntouched();
    }

    /// <summary>The first of the highest; none where that is infinite, or one is not a number.</summary>
    [Theory]
    [InlineData(1, 3000)]
    [InlineData(1, 7)]
    [InlineData(16, 4999)]
    [InlineData(40, 64)]
    public void Best_IsTheFirstOfTheHighest(int rows, int columns)
    {
        using var backend = Create();
        float[] special = [0, float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity];
        var values = Values(61, rows * columns);
        var expected = new int[rows];
        for (var row = 0; row < rows; row++)
        {
            var own = values.AsSpan(row * columns, columns);
            var at = expected[row] = row * 37 % columns;
            if (row % 3 == 0) own.Fill(-1.5f); // all alike but two
            if (row == 5) own.Fill(-0f);
            own[at] = row == 5 ? 0 : row % 3 == 0 ? -1.25f : 20;
            own[^1] = own[at];
            if (row < 3 * special.Length && row % 3 == 1 && special[row / 3] is var odd and not 0)
                (own[columns / 2], expected[row]) = (odd, float.IsNegativeInfinity(odd) ? at : -1);
        }
        var x = backend.Alloc(DType.F32, rows + 1, columns);
        backend.Write(values, x.Rows(0, rows));
        var actual = new int[rows];
        backend.Best(x.Rows(0, rows), actual);
        Assert.Equal(expected, actual);

        backend.Write([.. Enumerable.Repeat(float.NegativeInfinity, columns)], x.Rows(0, 1));
        backend.Best(x.Rows(0, 1), actual.AsSpan(0, 1));
        Assert.Equal(-1, actual[0]);
        x.Buffer.Dispose();
    }
}
