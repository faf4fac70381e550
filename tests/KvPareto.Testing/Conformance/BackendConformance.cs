using KvPareto.Engine.Cache;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Engine.Weights;
using Xunit;

namespace KvPareto.Testing.Conformance;

/// <summary>What every backend must do. A device adds a class that derives from this and says how to make its backend.</summary>
public abstract class BackendConformance
{
    private const float Poison = 1e30f;
    private const int FirstSeed = 100;

    /// <summary>Relative error of one op, norm of the difference over norm.</summary>
    protected virtual double OpTolerance => 2e-6;

    /// <summary>The same of attention.</summary>
    protected virtual double AttentionTolerance => 5 * OpTolerance;

    /// <summary>The same where rounding before coding can move a code that lies on the edge of two: a rotation, or a bias taken
    /// off.</summary>
    protected virtual double CodeEdgeTolerance => 3e-3;

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

    [Fact]
    public void RopeOfQueriesAndKeys_IsEachByItself()
    {
        using var backend = Create();
        const int Tokens = 9;
        var table = new RopeTable([.. Enumerable.Range(0, 32).Select(i => 1 / MathF.Pow(10000, i / 32f))]);
        using var run = new Run(backend, new KvGeometry(6, 2, 64, [0]), KvSpec.Full, Tokens, Tokens);
        var (q, k) = (Slice(backend, Tokens, 6 * 64), Slice(backend, Tokens, 2 * 64));
        var step = run.Begin(new int[Tokens]);
        float[][] Turned(Action rope)
        {
            q.Write(Values(6, Tokens * 6 * 64));
            k.Write(Values(7, Tokens * 2 * 64));
            rope();
            return [q.Read(), k.Read()];
        }
        var apart = Turned(() =>
        {
            backend.Rope(step, q.View, table);
            backend.Rope(step, k.View, table);
        });
        Assert.Equal(apart, Turned(() => backend.Rope(step, q.View, k.View, table)));
        foreach (var slice in new[] { q, k }) slice.AssertPoisonUntouched();
    }

    [Theory]
    [InlineData(1, 3, 64)]
    [InlineData(7, 2, 32)]
    [InlineData(256, 1, 128)]
    [InlineData(5, 3, 6)]
    public void Rope_TurnsHalfSplitPairs(int tokens, int heads, int headDim)
    {
        using var backend = Create();
        var table = new RopeTable([.. Enumerable.Range(0, headDim / 2).Select(i => 1 / MathF.Pow(10000, 2f * i / headDim))], 1.25f);
        using var run = new Run(backend, new KvGeometry(heads, heads, Math.Max(headDim, 16), [0]), KvSpec.Full, tokens, tokens + 1000);
        var input = Values(6, tokens * heads * headDim);
        var x = Slice(backend, tokens, heads * headDim);
        x.Write(input);
        var positions = Enumerable.Range(0, tokens).Select(t => 3 * t + 500).ToArray();
        var step = backend.Begin(run.Workspace, new int[tokens], positions, run.Cache);
        backend.Rope(step, x.View, table);
        var expected = new double[input.Length];
        for (var t = 0; t < tokens; t++)
        {
            for (var h = 0; h < heads; h++)
            {
                for (var i = 0; i < headDim / 2; i++)
                {
                    var at = (t * heads + h) * headDim + i;
                    var (sin, cos) = Math.SinCos(positions[t] * table.InverseFrequencies[i]);
                    var (a, b) = (input[at], input[at + headDim / 2]);
                    expected[at] = 1.25 * (a * cos - b * sin);
                    expected[at + headDim / 2] = 1.25 * (b * cos + a * sin);
                }
            }
        }
        AssertClose(expected, x.Read(), OpTolerance);
        x.AssertPoisonUntouched();
    }

    /// <summary>Models that turn only a part of each head: pairs lie within the part, the rest stays as it is.</summary>
    [Theory]
    [InlineData(1, 2, 32, 24)]
    [InlineData(7, 3, 64, 16)]
    public void Rope_TurnsOnlyTheFirstChannels(int tokens, int heads, int headDim, int turned)
    {
        using var backend = Create();
        var table = new RopeTable([.. Enumerable.Range(0, turned / 2).Select(i => 1 / MathF.Pow(10000, 2f * i / turned))], 1.25f, headDim);
        using var run = new Run(backend, new KvGeometry(heads, heads, headDim, [0]), KvSpec.Full, tokens, tokens);
        var input = Values(6, tokens * heads * headDim);
        var x = Slice(backend, tokens, heads * headDim);
        x.Write(input);
        backend.Rope(run.Begin(new int[tokens]), x.View, table);
        var expected = Array.ConvertAll(input, value => (double)value);
        for (var at = 0; at < input.Length; at += headDim)
            for (var i = 0; i < turned / 2; i++)
            {
                var (sin, cos) = Math.SinCos(at / (heads * headDim) * table.InverseFrequencies[i]);
                expected[at + i] = 1.25 * (input[at + i] * cos - input[at + i + turned / 2] * sin);
                expected[at + i + turned / 2] = 1.25 * (input[at + i + turned / 2] * cos + input[at + i] * sin);
            }
        AssertClose(expected, x.Read(), OpTolerance);
        x.AssertPoisonUntouched();
    }

    [Theory]
    [InlineData("k32v32", 0.03125f)]
    [InlineData("k4v4-t32", 0.5f)]
    [InlineData("k16v16-math", 0.015625f)]
    [InlineData("k16v16", 0.25f, 64)]
    [InlineData("k4v4-t64", 0.03125f, 128)]
    public void Attention_TakesTheModelsOwnFactor(string name, float multiplier, int headDim = 32)
    {
        var setting = InferenceSetting.Parse("w16a16-" + name);
        CheckAttention(
            new KvGeometry(4, 2, headDim, [0]) { AttentionMultiplier = multiplier }, setting.Cache, [30, 1, 1], setting.Attention);
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

    /// <summary>Short names of settings, heads, window and step lengths: every bit width, granularity, head width, head ratio and
    /// kernel.</summary>
    public static TheoryData<string> AttentionCases()
    {
        var cases = new TheoryData<string>();
        foreach (var bits in new[] { "k32v32", "k16v16", "k8v8-t16", "k4v4-t16", "k2v2-t16", "k8v2-t16", "k2v16-t16", "k16v4-t16" })
        {
            foreach (var shape in new[] { "9/3x64", "4/4x32", "7/1x128", "6/2x16", "5/1x96", "2/1x80" })
            {
                cases.Add($"{bits} {shape} 48 1,7,90,1,30,1");
            }
        }
        foreach (var granularity in new[] { "t32", "t64", "ch32", "ch64", "b16", "b64", "tensor", "pow2", "kch32-vt64", "kt64-vb16",
            "ktensor-vch16", "kpow2-vt32" })
        {
            foreach (var bits in new[] { "k8v8", "k4v2", "k2v4" })
            {
                cases.Add($"{bits}-{granularity} 6/2x64 0 70,1,1,40,1");
                cases.Add($"{bits}-{granularity}-smooth-rotk-sink4 3/1x64 48 7,90,1,1,30,1");
                cases.Add($"{bits}-{granularity}-rotkv-recent20 3/1x64 0 30,1,1,70,1");
                cases.Add($"{bits}-{granularity}-prebias-clip90-sink20-recent33-edge1 2/1x64 0 10,40,1,1,50,1");
            }
        }
        foreach (var name in new[] { "k16v16", "k4v4-t32", "k4v2-kch32-vt32-smooth-prebias-rotkv-sink3-recent7" })
            cases.Add($"{name}-math 6/2x32 48 7,150,1");
        foreach (var name in new[] { "k4v4-t48", "k8v8-t24", "k2v2-t48" }) cases.Add($"{name} 5/1x96 48 1,7,90,1,30,1");
        cases.Add("k16v16 9/3x64 300 520,1,1");
        foreach (var name in new[] { "k16v16", "k4v4-t64-rotkv", "k8v2-kch32-vt64-prebias-sink5-recent40" })
            cases.Add($"{name} 4/1x64 900 1100,30,700,1,1");
        cases.Add("k4v4-t64-smooth 9/3x64 300 520,1,1");
        foreach (var name in new[] { "k16v16", "k4v4-t64", "k2v2-t32-rotkv", "k8v4-t128", "k4v8-kch64-vt64-smooth-rotk",
            "k2v4-b32-sink4-recent30", "k4v16-kpow2-vt32" })
        {
            cases.Add($"{name} 8/2x128 300 400,1,5,1");
            cases.Add($"{name} 7/1x128 0 130,250,1,1");
        }
        return TestPart.Of(cases);
    }

    [Theory]
    [MemberData(nameof(AttentionCases))]
    public void Attention_MatchesReference(string name)
    {
        var parts = name.Split(' ');
        var heads = parts[1].Split('/', 'x').Select(int.Parse).ToArray();
        var setting = InferenceSetting.Parse("w16a16-" + parts[0]);
        var (layers, width) = (3, heads[1] * heads[2]);
        var rope = new RopeTable([.. Enumerable.Range(0, heads[2] / 2).Select(i => 1 / MathF.Pow(10000, 2f * i / heads[2]))]);
        var geometry = new KvGeometry(heads[0], heads[1], heads[2], [0, int.Parse(parts[2]), 0])
        {
            KeyBias = new RotaryBias(
                [.. Enumerable.Range(0, layers).Select(layer => Values(900 + layer, width).Select(x => 5 * x).ToArray())], rope),
        };
        CheckAttention(geometry, setting.Cache, [.. parts[3].Split(',').Select(int.Parse)], setting.Attention);
    }

    /// <summary>A chunk, a shorter one, a token of each of two sequences, and single tokens to the end of a granule and on.</summary>
    [Theory]
    [InlineData("k16v16", 64)]
    [InlineData("k16v16", 128)]
    [InlineData("k8v8-t64", 128)]
    [InlineData("k8v8-t32-rotk", 64)]
    [InlineData("k8v8-kch32-vt64", 64)]
    [InlineData("k8v8-t64-recent16", 64)]
    [InlineData("k4v4-kch64-vt64", 128)]
    [InlineData("k4v2-kch32-vt64-rotkv-sink3-recent7", 64)]
    [InlineData("k2v4-kch16-vt32-clip90", 128)]
    [InlineData("k4v4-t64-sink12-recent2", 128)]
    [InlineData("k8v8-ch32", 64)]
    public void RopeAttention_IsRopeThenAttention(string setting, int headDim)
    {
        using var backend = Create();
        var spec = InferenceSetting.Parse("w16a16-" + setting).Cache;
        var geometry = new KvGeometry(6, 2, headDim, [0]);
        var table = new RopeTable([.. Enumerable.Range(0, headDim / 2).Select(i => 1 / MathF.Pow(10000, 2f * i / headDim))], 1.25f);
        using var workspace = backend.CreateWorkspace(new WorkspaceShape(120, 140, geometry, AttentionKernel.Flash, MaxSequences: 2));
        float[][] Results(Action<Step, Tensor, Tensor, Tensor, Tensor> attend)
        {
            using var cache = backend.CreateCache(geometry, spec, 140);
            using var other = backend.CreateCache(geometry, spec, 140);
            (int[] Positions, KvCache[] Caches)[] runs =
            [
                (Positions(0, 120), [cache]), (Positions(0, 9), [other]), (Positions(120, 3), [cache]), ([123, 9], [cache, other]),
                .. Enumerable.Range(124, 12).Select(position => (new[] { position }, new KvCache[] { cache })),
            ];
            return
            [
                .. runs.Select((run, i) =>
                {
                    var count = run.Positions.Length;
                    var (q, k, v, y) = (Slice(backend, count, 6 * headDim), Slice(backend, count, 2 * headDim),
                        Slice(backend, count, 2 * headDim), Slice(backend, count, 6 * headDim));
                    q.Write(Values(3 * i + 60, count * 6 * headDim));
                    k.Write(Values(3 * i + 61, count * 2 * headDim));
                    v.Write(Values(3 * i + 62, count * 2 * headDim));
                    var step = run.Caches.Length == 1 ? backend.Begin(workspace, new int[count], run.Positions, run.Caches[0])
                        : backend.Begin(workspace, new int[count], run.Positions, run.Caches);
                    attend(step, q.View, k.View, v.View, y.View);
                    foreach (var slice in new[] { q, k, v, y }) slice.AssertPoisonUntouched();
                    return y.Read();
                }),
            ];
        }
        var apart = Results((step, q, k, v, y) =>
        {
            backend.Rope(step, q, k, table);
            backend.Attention(step, 0, q, k, v, y);
        });
        var together = Results((step, q, k, v, y) => backend.RopeAttention(step, 0, q, k, v, y, table));
        foreach (var (expected, actual) in apart.Zip(together))
            AssertClose([.. expected.Select(value => (double)value)], actual, CodeEdgeTolerance);
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

    [Fact]
    public void Attention_BatchedDecodeEqualsSingle()
    {
        using var backend = Create();
        var geometry = new KvGeometry(6, 2, 64, [0]);
        var spec = new KvSpec { Keys = new(4), Values = new(4) };
        int[] lengths = [3, 300, 17];
        using var workspace = backend.CreateWorkspace(new WorkspaceShape(300, 400, geometry, AttentionKernel.Flash, MaxSequences: 3));
        var (q, k, v) = (Values(21, 3 * 384), Values(22, 3 * 128), Values(23, 3 * 128));
        float[] Decode(bool together)
        {
            var caches = lengths.Select(_ => backend.CreateCache(geometry, spec, 400)).ToArray();
            for (var i = 0; i < 3; i++)
            {
                var step = backend.Begin(workspace, new int[lengths[i]], Positions(0, lengths[i]), caches[i]);
                RunAttention(
                    backend, step, 0, Values(30 + i, lengths[i] * 384), Values(40 + i, lengths[i] * 128), Values(50 + i, lengths[i] * 128));
            }
            var result = together
                ? RunAttention(backend, backend.Begin(workspace, new int[3], lengths, caches), 0, q, k, v)
                : Enumerable.Range(0, 3).SelectMany(i => RunAttention(
                    backend, backend.Begin(workspace, new int[1], [lengths[i]], caches[i]), 0, q[(i * 384)..((i + 1) * 384)],
                        k[(i * 128)..((i + 1) * 128)], v[(i * 128)..((i + 1) * 128)])).ToArray();
            foreach (var cache in caches) cache.Dispose();
            return result;
        }
        Assert.Equal(Decode(together: false), Decode(together: true));
    }

    [Fact]
    public void Cache_ResetForgetsEverything()
    {
        using var backend = Create();
        var geometry = new KvGeometry(3, 1, 64, [0]);
        var spec = new KvSpec { Keys = new(2), Values = new(4), SmoothKeys = true };
        using var run = new Run(backend, geometry, spec, 40, 40);
        float[] First(int seed) =>
            RunAttention(backend, run.Begin(new int[40]), 0, Values(seed, 40 * 192), Values(seed + 1, 40 * 64), Values(seed + 2, 40 * 64));
        var fresh = First(60);
        run.Cache.Reset();
        First(70);
        run.Cache.Reset();
        Assert.Equal(fresh, First(60));
    }

    [Fact]
    public void Memory_CountsEveryByteAndGivesItBack()
    {
        using var backend = Create();
        var before = backend.Memory.Live;
        var geometry = new KvGeometry(9, 3, 64, [.. Enumerable.Repeat(0, 30)]);
        using (var cache = backend.CreateCache(geometry, new KvSpec { Keys = new(4), Values = new(4) }, 1600))
        {
            // 4-bit codes and one f16 scale with one 16-bit zero point for each group of 64.
            Assert.Equal(30L * 2 * 1600 * 3 * (32 + 4), cache.ByteCount);
            Assert.Equal(before.KvCache + cache.ByteCount, backend.Memory.Live.KvCache);
            var tensor = backend.Alloc(DType.F32, 7, 13);
            Assert.Equal(before.Activations + 7 * 13 * 4, backend.Memory.Live.Activations);
            tensor.Buffer.Dispose();
        }
        Assert.Equal(before, backend.Memory.Live);
    }

    [Fact]
    public void Cache_RefusesMoreThanItHolds()
    {
        using var backend = Create();
        using var run =
            new Run(backend, new KvGeometry(1, 1, 32, [0]),
            new KvSpec { Keys = new(8, new(KvAxis.Token, 32)), Values = new(8, new(KvAxis.Token, 32)) }, 8, 8);
        run.Begin(new int[8]);
        Assert.Throws<CapacityException>(() => run.Begin(new int[1]));
    }

    /// <summary>Steps of all layers, and then what the cache reads back, against <see cref="ReferenceAttention"/>.</summary>
    protected virtual void CheckAttention(KvGeometry geometry, KvSpec spec, int[] steps, AttentionKernel kernel)
    {
        using var backend = Create();
        using var run = new Run(backend, geometry, spec, steps.Max(), steps.Sum(), kernel);
        var references = geometry.LayerWindows.Select((_, layer) => new ReferenceAttention(geometry, spec, layer)).ToArray();
        var seed = FirstSeed;
        var movesCodes = spec.Rotation != KvRotation.None || spec.PreBiasKeys;
        var (tolerance, cacheTolerance) = movesCodes ? (CodeEdgeTolerance, CodeEdgeTolerance) : (AttentionTolerance, 5 * OpTolerance);
        foreach (var tokens in steps)
        {
            var (step, call) = (run.Begin(new int[tokens]), new AttentionCall(backend, geometry, tokens));
            for (var layer = 0; layer < geometry.LayerCount; layer++)
            {
                var (q, k, v) = Inputs(geometry, tokens, ref seed);
                AssertClose(references[layer].Run(q, k, v), call.Run(step, layer, q, k, v), tolerance);
            }
        }
        for (var layer = 0; layer < geometry.LayerCount; layer++)
        {
            var (keys, values) = Unpacked(run.Cache, geometry, layer);
            AssertClose(references[layer].Keys, keys, cacheTolerance);
            AssertClose(references[layer].Values, values, cacheTolerance);
        }
    }

    /// <summary>The same steps on two backends, bit for bit.</summary>
    protected static void AssertSameAttention(
        Backend first, Backend second, KvGeometry geometry, KvSpec spec, int[] steps, AttentionKernel kernel)
    {
        using var one = new Run(first, geometry, spec, steps.Max(), steps.Sum(), kernel);
        using var other = new Run(second, geometry, spec, steps.Max(), steps.Sum(), kernel);
        var seed = FirstSeed;
        foreach (var tokens in steps)
        {
            var (step, otherStep) = (one.Begin(new int[tokens]), other.Begin(new int[tokens]));
            var (call, otherCall) = (new AttentionCall(first, geometry, tokens), new AttentionCall(second, geometry, tokens));
            for (var layer = 0; layer < geometry.LayerCount; layer++)
            {
                var (q, k, v) = Inputs(geometry, tokens, ref seed);
                Assert.Equal(call.Run(step, layer, q, k, v), otherCall.Run(otherStep, layer, q, k, v));
            }
        }
        for (var layer = 0; layer < geometry.LayerCount; layer++)
        {
            var (expected, unpacked) = (Unpacked(one.Cache, geometry, layer), Unpacked(other.Cache, geometry, layer));
            Assert.Equal(expected.Keys, unpacked.Keys);
            Assert.Equal(expected.Values, unpacked.Values);
        }
    }

    // Queries [T, Nq·D], keys and values [T, Nkv·D] of one layer's step.
    private static (float[] Q, float[] K, float[] V) Inputs(KvGeometry geometry, int tokens, ref int seed)
    {
        var (queryWidth, keyWidth) = (geometry.QueryHeads * geometry.HeadDim, geometry.KvHeads * geometry.HeadDim);
        return (Values(seed++, tokens * queryWidth), Keys(seed++, tokens, keyWidth), Values(seed++, tokens * keyWidth));
    }

    private static (float[] Keys, float[] Values) Unpacked(KvCache cache, KvGeometry geometry, int layer)
    {
        var count = cache.Length * geometry.KvHeads * geometry.HeadDim;
        var (keys, values) = (new float[count], new float[count]);
        cache.Unpack(layer, keys, values);
        return (keys, values);
    }

    private static float[] RunAttention(Backend backend, Step step, int layer, float[] q, float[] k, float[] v) =>
        new AttentionCall(backend, step.Count, q.Length / step.Count, k.Length / step.Count).Run(step, layer, q, k, v);

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

    // A tensor as a column slice of a wider one whose other columns hold a value that must not change.
    private static Sliced Slice(Backend backend, int rows, int columns) => new(backend, rows, columns);

    private sealed class Sliced
    {
        private const int Margin = 3;
        private readonly Backend _backend;
        private readonly Tensor _whole;

        public Sliced(Backend backend, int rows, int columns)
        {
            _backend = backend;
            _whole = backend.Alloc(DType.F32, rows, columns + 2 * Margin);
            View = _whole.Columns(Margin, columns);
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
                if (line[..Margin].ContainsAnyExcept(Poison) || line[^Margin..].ContainsAnyExcept(Poison))
                    Assert.Fail($"wrote beside row {row}");
            }
        }
    }

    // The tensors of attention over some tokens, for one layer after the other.
    private sealed class AttentionCall(Backend backend, int tokens, int queryWidth, int keyWidth)
    {
        private readonly Sliced _q = Slice(backend, tokens, queryWidth), _k = Slice(backend, tokens, keyWidth);
        private readonly Sliced _v = Slice(backend, tokens, keyWidth), _y = Slice(backend, tokens, queryWidth);

        public AttentionCall(Backend backend, KvGeometry geometry, int tokens)
            : this(backend, tokens, geometry.QueryHeads * geometry.HeadDim, geometry.KvHeads * geometry.HeadDim)
        {
        }

        public float[] Run(Step step, int layer, float[] q, float[] k, float[] v)
        {
            _q.Write(q);
            _k.Write(k);
            _v.Write(v);
            backend.Attention(step, layer, _q.View, _k.View, _v.View, _y.View);
            _y.AssertPoisonUntouched();
            var y = _y.Read();
            _y.Poisoned();
            return y;
        }
    }

    private sealed class Run(
        Backend backend, KvGeometry geometry, KvSpec spec, int maxTokens, int capacity, AttentionKernel kernel = AttentionKernel.Flash)
            : IDisposable
    {
        public KvCache Cache { get; } = backend.CreateCache(geometry, spec, capacity);

        public Workspace Workspace { get; } = backend.CreateWorkspace(new WorkspaceShape(maxTokens, capacity, geometry, kernel));

        public Step Begin(int[] ids) => backend.Begin(Workspace, ids, Positions(Cache.Length, ids.Length), Cache);

        public void Dispose()
        {
            Workspace.Dispose();
            Cache.Dispose();
        }
    }
}
