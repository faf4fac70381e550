using KvPareto.Engine.Generation;
using KvPareto.Engine.Settings;
using KvPareto.Tasks.Fidelity;
using KvPareto.Tasks.Predictions;

namespace KvPareto.Tasks.Tests.Fidelity;

/// <summary>The definitions against a plain computation in f64 over whole rows of logits.</summary>
public class FidelityRunTests
{
    private const double Tolerance = 1e-9;

    /// <summary>Of what is kept as f32.</summary>
    private const double SingleTolerance = 1e-7;

    public static TheoryData<string, string> Cases() => new()
    {
        { "llama", "w16a16-k4v4-t16" },
        { "qwen2", "w16a16-k8v2-t16-smooth-c7" },
        { "qwen3", "w16a16-k2v2-t16-c64" },
        { "mistral", "w16a16-k4v2-t16" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Figures_AreTheDefinition(string family, string name)
    {
        using var model = new GoldenModel(family);
        var setting = InferenceSetting.Parse(name);
        int[][] windows = [.. model.Ids.Chunk(70).Where(window => window.Length == 70)];
        Assert.True(windows.Length > 1);
        var actual = Pooled(model, model.Measure(setting, windows));

        var (divergences, surprise, referenceSurprise, same) = (new List<double>(), 0.0, 0.0, 0);
        var (lateDivergences, lateSurprises) = (new List<double>(), new List<double>());
        foreach (var window in windows)
        {
            var expected = model.Logits(FidelityReference.Setting, window);
            var quantized = model.Logits(setting, window);
            for (var t = 0; t < window.Length; t++)
            {
                var (p, q) = (LogSoftmax(expected[t]), LogSoftmax(quantized[t]));
                divergences.Add(p.Select((value, i) => Math.Exp(value) * (value - q[i])).Sum());
                if (Array.IndexOf(expected[t], expected[t].Max()) == Array.IndexOf(quantized[t], quantized[t].Max())) same++;
                if (t + 1 == window.Length) continue;
                surprise -= q[window[t + 1]];
                referenceSurprise -= p[window[t + 1]];
                if (t < 35) continue;
                lateDivergences.Add(divergences[^1]);
                lateSurprises.Add(-q[window[t + 1]]);
            }
        }
        divergences.Sort();
        var predicted = windows.Length * 69;
        Near(Math.Exp(surprise / predicted), actual.Ppl);
        Near(Math.Exp(referenceSurprise / predicted), actual.ReferencePpl);
        Near(divergences.Average(), actual.KlMean);
        Near(Quantile(divergences, 0.5), actual.KlP50, SingleTolerance);
        Near(Quantile(divergences, 0.99), actual.KlP99, SingleTolerance);
        Near(divergences[^1], actual.KlMax);
        Assert.Equal((double)same / divergences.Count, actual.Top1, 12);
        Assert.Equal(34 * windows.Length, lateDivergences.Count);
        Near(Math.Exp(lateSurprises.Average()), actual.PplSecondHalf);
        Near(lateDivergences.Average(), actual.KlSecondHalf);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("mistral")]
    public void TwoBits_MoveEveryLikelihoodAndEveryFigure(string family)
    {
        using var model = new GoldenModel(family);
        var windows = new[] { model.Ids };
        var full = model.Measure(InferenceSetting.Parse("w16a16-k16v16"), windows)[0];
        var coded = model.Measure(InferenceSetting.Parse("w16a16-k2v2-t16"), windows)[0];
        Assert.All(coded.Divergences.Zip(full.Divergences), pair => Assert.True(pair.First > pair.Second, $"{pair}"));
        var (a, b) = (WindowFigures.Of(full), WindowFigures.Of(coded));
        Assert.True(b.KlMean > 10 * a.KlMean && b.KlP50 > 10 * a.KlP50 && b.KlP99 > 10 * a.KlP99 && b.KlMax > 10 * a.KlMax, $"{a} {b}");
        Assert.True(b.Top1 < a.Top1, $"{a} {b}");
        Assert.True(Math.Abs(b.Ppl / b.ReferencePpl - 1) > 10 * Math.Abs(a.Ppl / a.ReferencePpl - 1), $"{a} {b}");
        Assert.True(coded.CacheBytes * 3 < full.CacheBytes);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("mistral")]
    public void TwoBits_MoveWhatIsGenerated(string family)
    {
        using var model = new GoldenModel(family);
        int[] Greedy(string setting) =>
            new Generator(model.Transformer, InferenceSetting.Parse(setting)).Generate(model.Ids.AsSpan(0, 64), 32).Ids;
        Assert.NotEqual(Greedy("w16a16-k16v16"), Greedy("w16a16-k2v2-t16"));
    }

    [Fact]
    public void TheReferenceItself_HasNoDivergence_AndAnF16CacheNextToNone()
    {
        using var model = new GoldenModel("llama");
        var windows = new[] { model.Ids };
        var same = Pooled(model, model.Measure(FidelityReference.Setting, windows));
        Assert.Equal((0, 0, 1.0), (same.KlMean, same.KlMax, same.Top1));
        Assert.Equal(same.ReferencePpl, same.Ppl);
        var noise = Pooled(model, model.Measure(InferenceSetting.Parse("w16a16-k16v16"), windows));
        Assert.InRange(noise.KlMean, 1e-14, 1e-5);
    }

    [Fact]
    public void Windows_AreReadApart()
    {
        using var model = new GoldenModel("llama");
        var setting = InferenceSetting.Parse("w16a16-k4v4-t16-smooth");
        int[][] both = [model.Ids[..50], model.Ids[50..100]];
        var together = model.Measure(setting, both);
        Assert.Equal(model.Measure(setting, [both[1]])[0].Divergences, together[1].Divergences);
        Assert.Equal(model.Measure(setting, [both[0]], threads: 1)[0].Divergences, together[0].Divergences);
    }

    [Fact]
    public void LastTokens_AreComparedAlone()
    {
        using var model = new GoldenModel("llama");
        var setting = InferenceSetting.Parse("w16a16-k2v2-t16");
        var whole = model.Measure(setting, [model.Ids])[0];
        var last = model.Measure(setting, [model.Ids], tokens: 5)[0];
        Assert.Equal(whole.Divergences.TakeLast(5), last.Divergences);
        Assert.Equal(whole.Surprises.TakeLast(4), last.Surprises);
        Assert.Equal(
            (whole.Tokens, whole.CacheBytes, whole.Peaks), (last.Tokens, last.CacheBytes, last.Peaks));
        Assert.Equal(whole.Divergences, model.Measure(setting, [model.Ids], tokens: 1 << 20)[0].Divergences);
    }

    [Fact]
    public void Peaks_AreTheSettingsOwn()
    {
        using var model = new GoldenModel("llama");
        var setting = InferenceSetting.Parse("w16a16-k4v4-t16-c16");
        var alone = new Generator(model.Transformer, setting).Feed(model.Ids);
        var compared = model.Measure(setting, [model.Ids, model.Ids]);
        Assert.All(compared, window => Assert.Equal((alone.Peaks, alone.CacheBytes), (window.Peaks, window.CacheBytes)));
        Assert.Equal(0, model.Backend.Memory.Live.Activations + model.Backend.Memory.Live.KvCache);
    }

    private static FidelityFigures Pooled(GoldenModel model, IEnumerable<WindowFidelity> windows) =>
        WindowFigures.Pooled([.. windows.Select(window => WindowFigures.Of(window, model.Transformer.Config.Geometry))]);

    private static double[] LogSoftmax(float[] row)
    {
        var sum = row.Sum(value => Math.Exp(value - (double)row.Max()));
        return Array.ConvertAll(row, value => value - (double)row.Max() - Math.Log(sum));
    }

    // numpy.quantile's default.
    private static double Quantile(List<double> sorted, double share)
    {
        var place = share * (sorted.Count - 1);
        var (low, high) = (sorted[(int)Math.Floor(place)], sorted[(int)Math.Ceiling(place)]);
        return low + (high - low) * (place - Math.Floor(place));
    }

    private static void Near(double expected, double actual, double tolerance = Tolerance) =>
        Assert.InRange(Math.Abs(actual - expected), 0, tolerance * Math.Max(1, expected));
}
