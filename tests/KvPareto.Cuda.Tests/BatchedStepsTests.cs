using System.Text.Json.Nodes;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Testing;

namespace KvPareto.Cuda.Tests;

/// <summary>Tokens of several sequences in one step of a whole model, against each sequence by itself: bit for bit the same, so that what
/// is decoded beside an answer has no part in it.</summary>
[Trait("Category", "GPU")]
public class BatchedStepsTests
{
    private const int Tokens = 12; // of a sequence, at the most
    private const int Chunk = 256;

    // Of prompts: of less than a tile, around the end of a part, and of several parts; those by channel fill granules on the way.
    private static readonly int[] Prompts = [5, 127, 700, 33, 1400, 128, 300, 60, 1021, 250];

    // The sequences under way, and for how many steps: the fifth step of eight is a graph of the device, also for others that take the
    // place of some, in another order; then of fewer.
    private static readonly (int[] Sequences, int Steps)[] Schedule =
    [
        ([0, 1], 1),
        ([0, 1, 2], 1),
        ([0, 1, 2, 3, 4], 1),
        ([0, 1, 2, 3, 4, 5, 6, 7], 6),
        ([8, 1, 4, 9, 5, 6, 7, 2], 2),
        ([9, 5, 1], 1),
        ([8], 1),
    ];

    [Theory]
    [InlineData("w16a16-k16v16", 1024, 16, 8)]
    [InlineData("w16a16-k4v4-t64", 14_336, 32, 8)] // products of down take fewer rows at a time, or inputs with the weights
    [InlineData("w4g128a16-k4v4-t64", 14_336, 16, 8)]
    [InlineData("w4g64a16-k8v8-t64-rotkv", 1024, 8, 1)]
    [InlineData("w4g32a16-k4v4-kch64-vt64", 1024, 16, 8)]
    [InlineData("w8g32a16-k2v2-t32", 1024, 16, 8)]
    [InlineData("w8g64a16-k8v8-t64-smooth-sink4-recent8", 1024, 16, 8)]
    [InlineData("w16a16-k4v4-t64-sink4", 1024, 8, 8)]
    [InlineData("w16a16-k8v4-b16", 1024, 16, 8)]
    [InlineData("w16a16-k4v4-t64", 1024, 24, 1)] // more heads that share a key head than one block of rows takes
    public void Sequences_AreEachByItself(string name, int feedForward, int heads, int keyHeads)
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        using var backend = new CudaBackend();
        using var folder = new ScratchFolder();
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(TestData.Golden("models", "llama"), "config.json")))!;
        (config["hidden_size"], config["intermediate_size"], config["head_dim"]) = (512, feedForward, 64);
        (config["num_attention_heads"], config["num_key_value_heads"], config["num_hidden_layers"]) = (heads, keyHeads, 2);
        folder.Write("config.json", config.ToJsonString());
        using var checkpoint = ModelSource.Open($"random:3:{folder.Root}").OpenCheckpoint();
        using var run = new Run(backend, checkpoint, InferenceSetting.Parse(name));
        var expected = Prompts.Select(run.Alone).ToArray();
        Assert.All(expected, tokens => Assert.All(tokens, logits => Assert.All(logits, logit => Assert.True(float.IsFinite(logit)))));
        var taken = new int[Prompts.Length];
        foreach (var (sequences, steps) in Schedule)
        {
            for (var i = 0; i < steps; i++)
            {
                var results = run.Together(sequences);
                for (var row = 0; row < sequences.Length; row++)
                {
                    var sequence = sequences[row];
                    Assert.True(
                        expected[sequence][taken[sequence]].AsSpan().SequenceEqual(results[row]),
                        $"token {taken[sequence]} of sequence {sequence}, row {row} of {sequences.Length}");
                    taken[sequence]++;
                }
            }
        }
    }

    // A model, and the caches of sequences that are under way together.
    private sealed class Run : IDisposable
    {
        private readonly CudaBackend _backend;
        private readonly InferenceSetting _setting;
        private readonly TransformerWeights _weights;
        private readonly Transformer _transformer;
        private readonly Workspace _workspace;
        private readonly TransformerActivations _activations;
        private readonly Tensor _logits;
        private readonly KvCache?[] _caches = new KvCache?[Prompts.Length];

        public Run(CudaBackend backend, Checkpoint checkpoint, InferenceSetting setting)
        {
            (_backend, _setting, _weights) = (backend, setting, TransformerWeights.Load(backend, checkpoint, setting.Weights));
            _transformer = new(backend, checkpoint.Config, _weights);
            var (most, capacity) = (FewKernel.MostRows, Prompts.Max() + 1000);
            _workspace = backend.CreateWorkspace(new(most, capacity, _transformer.Geometry(capacity), setting.Attention, most));
            _activations = new(backend, checkpoint.Config, most);
            _logits = backend.Alloc(DType.F32, most, checkpoint.Config.VocabularySize);
        }

        /// <summary>Logits of each token of a sequence by itself, with scratch of its own size.</summary>
        public float[][] Alone(int prompt)
        {
            using var cache = Prefill(prompt);
            using var workspace = _backend.CreateWorkspace(new(1, cache.Capacity, cache.Geometry, _setting.Attention));
            using var activations = new TransformerActivations(_backend, _transformer.Config, 1);
            return [.. Enumerable.Range(0, Tokens).Select(_ => Step(workspace, activations, [cache])[0])];
        }

        /// <summary>Logits of the next token of each of some sequences.</summary>
        public float[][] Together(int[] sequences) =>
            Step(_workspace, _activations, [.. sequences.Select(sequence => _caches[sequence] ??= Prefill(Prompts[sequence]))]);

        public void Dispose()
        {
            foreach (var cache in _caches) cache?.Dispose();
            _logits.Buffer.Dispose();
            _activations.Dispose();
            _workspace.Dispose();
            _weights.Dispose();
        }

        private float[][] Step(Workspace workspace, TransformerActivations activations, KvCache[] caches)
        {
            int[] positions = [.. caches.Select(cache => cache.Length)];
            var hidden = _transformer.Forward(_backend.Begin(workspace, Ids(positions), positions, caches), activations);
            var (logits, width) = (_logits.Rows(0, caches.Length), _transformer.Config.VocabularySize);
            _transformer.Head.Apply(hidden, logits);
            var values = new float[caches.Length * width];
            _backend.Read(logits, values);
            return [.. values.Chunk(width)];
        }

        private KvCache Prefill(int prompt)
        {
            var capacity = prompt + Tokens;
            var cache = _backend.CreateCache(_transformer.Geometry(capacity), _setting.Cache, capacity);
            using var workspace = _backend.CreateWorkspace(new(Chunk, capacity, cache.Geometry, _setting.Attention));
            using var activations = new TransformerActivations(_backend, _transformer.Config, Chunk);
            for (var from = 0; from < prompt; from += Chunk)
            {
                int[] positions = [.. Enumerable.Range(from, Math.Min(Chunk, prompt - from))];
                _transformer.Forward(_backend.Begin(workspace, Ids(positions), positions, cache), activations);
            }
            return cache;
        }

        private static int[] Ids(int[] positions) => [.. positions.Select(position => position * 7 % 512)];
    }
}
