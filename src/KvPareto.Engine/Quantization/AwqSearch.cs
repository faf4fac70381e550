using System.Numerics.Tensors;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Quantization;

/// <summary>
/// Activation-aware weight quantization (arXiv 2306.00978) as AutoAWQ does it, one decoder layer after the other: inputs are those
/// of the unquantized model over the calibration texts; scales are searched on a share of the tokens, clipping on all.
/// </summary>
internal sealed class AwqSearch
{
    // On which outputs are compared: a mean, always over the same ones, so that more would change little.
    private const int LossTokens = 4096;

    private readonly Backend _backend;
    private readonly ModelConfig _config;
    private readonly QuantizeOptions _options;
    private readonly int[] _lengths;
    private readonly float[][] _hidden; // [text][T, H]: inputs of the layer that comes next
    private readonly int _stride;
    private readonly int _maxTokens;

    /// <summary>Embeds the calibration texts.</summary>
    public AwqSearch(Backend backend, ModelConfig config, QuantizeOptions options, Weight embedding, IReadOnlyList<int[]> texts)
    {
        (_backend, _config, _options) = (backend, config, options);
        _lengths = [.. texts.Select(text => text.Length)];
        _maxTokens = _lengths.Max();
        _stride = (int)Math.Max(1, _lengths.Sum(length => (long)length) / LossTokens);
        using var runner = new LayerRunner(backend, config, 0, _maxTokens);
        _hidden = [.. texts.Select(ids => runner.Embed(embedding, ids))];
    }

    /// <summary>Scales and clips a layer in place, rounds it to f16, and goes on to the next.</summary>
    /// <param name="index">Layer.</param>
    /// <param name="weights">Its weights as they are.</param>
    /// <param name="layer">The same, to be changed.</param>
    /// <param name="cancellation">Checked between searches.</param>
    public IReadOnlyList<ScaleChoice> Run(int index, LayerWeights weights, LayerMatrices layer, CancellationToken cancellation)
    {
        using var runner = new LayerRunner(_backend, _config, index, _maxTokens);
        var inputs = Enum.GetValues<LayerPoint>().ToDictionary(point => point, point => new Inputs(Width(point), _options.Group, _stride));
        for (var text = 0; text < _hidden.Length; text++)
        {
            cancellation.ThrowIfCancellationRequested();
            var isKept = text % _stride == 0;
            runner.Run(weights, _hidden[text], _lengths[text], (point, x) =>
                inputs[point].Add(x, isKept && point == LayerPoint.AttentionInput));
        }

        var choices = new List<ScaleChoice>();
        var scales = inputs.Keys.ToDictionary(point => point, _ => (float[]?)null);
        var attentionLoss = AttentionLoss(runner, weights, layer, inputs[LayerPoint.AttentionInput].Texts);
        Search(LayerPoint.AttentionInput, "q, k, v", [layer.Query, layer.Key, layer.Value], attentionLoss);
        // With grouped heads a channel of o's input is fed by a row of v that feeds others too.
        if (weights.Value.RowCount == weights.Output.RowCount && weights.Value.ColumnCount == weights.Output.ColumnCount)
        {
            var output = inputs[LayerPoint.OutputInput].Sample();
            var outputLoss = LinearLoss(weights.Output, layer.Output, weight => runner.Output(weight, output));
            Search(LayerPoint.OutputInput, "o", [layer.Output], outputLoss);
        }
        var feedForwardLoss = FeedForwardLoss(runner, weights, layer, inputs[LayerPoint.FeedForwardInput].Sample());
        Search(LayerPoint.FeedForwardInput, "gate, up", [layer.Gate, layer.Up], feedForwardLoss);
        var down = inputs[LayerPoint.DownInput].Sample();
        Search(LayerPoint.DownInput, "down", [layer.Down], LinearLoss(weights.Down, layer.Down, weight => runner.Down(weight, down)));

        if (scales[LayerPoint.AttentionInput] is { } attention) layer.ScaleAttentionInput(attention);
        if (scales[LayerPoint.OutputInput] is { } o) layer.ScaleOutputInput(o);
        if (scales[LayerPoint.FeedForwardInput] is { } feedForward) layer.ScaleFeedForwardInput(feedForward);
        if (scales[LayerPoint.DownInput] is { } d) layer.ScaleDownInput(d);
        layer.Round();
        // Not q and k: their error is in the softmax, which a group's share of their output says little about.
        Clip(layer.Value, LayerPoint.AttentionInput);
        Clip(layer.Output, LayerPoint.OutputInput);
        Clip(layer.Gate, LayerPoint.FeedForwardInput);
        Clip(layer.Up, LayerPoint.FeedForwardInput);
        Clip(layer.Down, LayerPoint.DownInput);
        return choices;

        void Search(LayerPoint point, string name, IReadOnlyList<LinearMatrix> layers, Func<IReadOnlyList<float[]>, double> lossOf)
        {
            cancellation.ThrowIfCancellationRequested();
            (scales[point], var choice) = ScaleSearch.Run(name, layers, inputs[point].Statistics, _options, lossOf);
            choices.Add(choice);
        }

        void Clip(LinearMatrix matrix, LayerPoint point)
        {
            var statistics = inputs[point].Statistics;
            ClipSearch.Run(_backend, matrix, statistics, scales[point] ?? Ones(statistics.Columns), _options.Bits, _options.Group);
        }
    }

    private static float[] Ones(int count) => [.. Enumerable.Repeat(1f, count)];

    private int Width(LayerPoint point) => point switch
    {
        LayerPoint.OutputInput => _config.QueryHeads * _config.HeadDim,
        LayerPoint.DownInput => _config.FeedForwardSize,
        _ => _config.HiddenSize,
    };

    private Func<IReadOnlyList<float[]>, double> AttentionLoss(
        LayerRunner runner, LayerWeights weights, LayerMatrices layer, IReadOnlyList<float[]> texts)
    {
        var expected = texts.Select(text => runner.Attention(weights, text)).ToArray();
        return values =>
        {
            using var query = layer.Query.Upload(_backend, values[0]);
            using var key = layer.Key.Upload(_backend, values[1]);
            using var value = layer.Value.Upload(_backend, values[2]);
            var changed = weights with { Query = query, Key = key, Value = value };
            return expected.Zip(texts, (exact, text) => SquaredDistance(exact, runner.Attention(changed, text))).Sum()
                / expected.Sum(exact => (double)exact.Length);
        };
    }

    private Func<IReadOnlyList<float[]>, double> FeedForwardLoss(
        LayerRunner runner, LayerWeights weights, LayerMatrices layer, float[] input)
    {
        var expected = runner.FeedForward(weights, input);
        return values =>
        {
            using var gate = layer.Gate.Upload(_backend, values[0]);
            using var up = layer.Up.Upload(_backend, values[1]);
            return SquaredDistance(expected, runner.FeedForward(weights with { Gate = gate, Up = up }, input)) / expected.Length;
        };
    }

    private Func<IReadOnlyList<float[]>, double> LinearLoss(Weight weight, LinearMatrix matrix, Func<Weight, float[]> run)
    {
        var expected = run(weight);
        return values =>
        {
            using var changed = matrix.Upload(_backend, values[0]);
            return SquaredDistance(expected, run(changed)) / expected.Length;
        };
    }

    private static double SquaredDistance(float[] a, float[] b)
    {
        const int Block = 4096;
        var sum = 0.0;
        for (var first = 0; first < a.Length; first += Block)
        {
            var count = Math.Min(Block, a.Length - first);
            var distance = TensorPrimitives.Distance(a.AsSpan(first, count), b.AsSpan(first, count));
            sum += (double)distance * distance;
        }
        return sum;
    }

    /// <summary>What is kept of the inputs at one point of a layer.</summary>
    private sealed class Inputs(int columns, int group, int stride)
    {
        private readonly List<float> _sample = [];
        private int _skip;

        public InputStatistics Statistics { get; } = new(columns, group);

        /// <summary>The inputs of some texts, whole.</summary>
        public List<float[]> Texts { get; } = [];

        /// <summary>Every so many rows one of all inputs.</summary>
        public float[] Sample() => [.. _sample];

        public void Add(float[] x, bool isWhole)
        {
            var rows = x.Length / columns;
            Statistics.Add(x, rows);
            if (isWhole) Texts.Add(x);
            for (; _skip < rows; _skip += stride) _sample.AddRange(x.AsSpan(_skip * columns, columns));
            _skip -= rows;
        }
    }
}
