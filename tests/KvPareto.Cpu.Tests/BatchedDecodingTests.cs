using KvPareto.Engine.Cache;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Testing;

namespace KvPareto.Cpu.Tests;

/// <summary>Sequences that decode together have the logits of each alone, bit for bit: of other lengths, with others leaving and
/// joining, by another number of workers.</summary>
public class BatchedDecodingTests
{
    private const int MostTokens = 12;
    private const int MostTogether = 13;

    // Prompts around a tile's and a split's ends; and when each joins, so that 2, 3, 5, 8 and 13 decode together.
    private static readonly int[] Prompts = [5, 300, 1, 17, 256, 33, 16, 255, 47, 257, 2, 100, 400];
    private static readonly int[] Joins = [0, 0, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4];

    [Theory]
    [InlineData("llama", "w16a16-k16v16")]
    [InlineData("mistral", "w16a16-k8v8-t32-c64")]
    [InlineData("qwen3", "w16a16-k4v4-t32")]
    [InlineData("qwen2", "w4g32a16-k4v4-kch32-vt32-prebias")]
    [InlineData("llama", "w8g32a16-e8-k8v8-b16-smooth-sink4-recent8")]
    [InlineData("qwen3", "w4g32a16-e4-k2v2-t16-rotkv-c50")]
    [InlineData("mistral", "w16a16-k4v4-tensor-sink2-math")]
    [InlineData("qwen2", "w16a16-k32v32-math")]
    [InlineData("llama", "w16a16-k4v2-kpow2-vb16-sink3")]
    public void Logits_AreThoseOfEachAlone(string family, string name)
    {
        // Rows of two blocks of 256 that are summed as a pair, of one, and of a part of one.
        var model = new TinyModel
        {
            Family = family, Hidden = 544, FeedForward = 352, Vocabulary = 100, Layers = 2, Window = family == "mistral" ? 100 : null,
            Type = family == "qwen3" ? TensorType.F16 : family == "qwen2" ? TensorType.F32 : TensorType.BF16,
        };
        using var folder = new ScratchFolder();
        Compare(model.Write(folder.Root), name);
    }

    [Theory]
    [InlineData("llama256-Q4_K_M.gguf", "w16a16-k16v16-c64")]
    [InlineData("qwen128-Q8_0.gguf", "w16a16-k4v4-t16-prebias")]
    public void Logits_OfBlocksAreThoseOfEachAlone(string file, string name) => Compare(TestData.Golden("gguf", file), name);

    private static void Compare(string model, string name)
    {
        using var checkpoint = ModelSource.Open(model).OpenCheckpoint();
        var setting = InferenceSetting.Parse(name);
        var alone = Run(workers: 1, transformer => Enumerable.Range(0, Prompts.Length).Select(i => Alone(transformer, setting, i)).ToArray());
        var together = Run(workers: 3, transformer => Together(transformer, setting));
        for (var i = 0; i < Prompts.Length; i++) Assert.Equal(alone[i], together[i]);

        float[][][] Run(int workers, Func<Transformer, float[][][]> logits)
        {
            using var backend = new CpuBackend(workers);
            using var weights = TransformerWeights.Load(backend, checkpoint, setting.Weights);
            return logits(new Transformer(backend, checkpoint.Config, weights));
        }
    }

    private static float[][] Alone(Transformer transformer, InferenceSetting setting, int sequence)
    {
        using var cache = Filled(transformer, setting, sequence);
        using var workspace = Workspace(transformer, setting, cache.Capacity, 1);
        using var activations = new TransformerActivations(transformer.Backend, transformer.Config, 1);
        return
        [
            .. Enumerable.Range(0, Tokens(sequence))
                .Select(token => Decode(transformer, workspace, activations, [cache], [(sequence, token)])[0]),
        ];
    }

    private static float[][][] Together(Transformer transformer, InferenceSetting setting)
    {
        var caches = Enumerable.Range(0, Prompts.Length).Select(i => Filled(transformer, setting, i)).ToArray();
        using var workspace = Workspace(transformer, setting, caches.Max(cache => cache.Capacity), MostTogether);
        using var activations = new TransformerActivations(transformer.Backend, transformer.Config, MostTogether);
        var results = Prompts.Select(_ => new List<float[]>()).ToArray();
        for (var step = 0; step < Joins[^1] + MostTokens; step++)
        {
            var active = Enumerable.Range(0, Prompts.Length).Where(i => step >= Joins[i] && results[i].Count < Tokens(i));
            (int Sequence, int Token)[] rows = [.. active.Select(i => (i, results[i].Count))];
            var logits = Decode(transformer, workspace, activations, [.. rows.Select(row => caches[row.Sequence])], rows);
            foreach (var (row, values) in rows.Zip(logits)) results[row.Sequence].Add(values);
        }
        foreach (var cache in caches) cache.Dispose();
        return [.. results.Select(result => result.ToArray())];
    }

    // Some leave early.
    private static int Tokens(int sequence) => sequence % 3 == 0 ? MostTokens / 2 : MostTokens;

    private static Workspace Workspace(Transformer transformer, InferenceSetting setting, int capacity, int sequences) =>
        transformer.Backend.CreateWorkspace(
            new(sequences, capacity, transformer.Geometry(capacity), setting.Attention, MaxSequences: sequences));

    private static KvCache Filled(Transformer transformer, InferenceSetting setting, int sequence)
    {
        var (backend, length) = (transformer.Backend, Prompts[sequence]);
        var chunk = setting.StepTokens(length);
        var cache = backend.CreateCache(transformer.Geometry(length + MostTokens), setting.Cache, length + MostTokens);
        using var workspace = backend.CreateWorkspace(new(chunk, cache.Capacity, cache.Geometry, setting.Attention));
        using var activations = new TransformerActivations(backend, transformer.Config, chunk);
        for (var from = 0; from < length; from += chunk)
        {
            int[] positions = [.. Enumerable.Range(from, Math.Min(chunk, length - from))];
            int[] ids = [.. positions.Select(position => Id(transformer, sequence, position))];
            transformer.Forward(backend.Begin(workspace, ids, positions, cache), activations);
        }
        return cache;
    }

    private static float[][] Decode(
        Transformer transformer, Workspace workspace, TransformerActivations activations, KvCache[] caches,
        (int Sequence, int Token)[] rows)
    {
        var (backend, vocabulary) = (transformer.Backend, transformer.Config.VocabularySize);
        int[] positions = [.. caches.Select(cache => cache.Length)];
        int[] ids = [.. rows.Select(row => Id(transformer, row.Sequence, Prompts[row.Sequence] + row.Token))];
        var logits = backend.Alloc(DType.F32, rows.Length, vocabulary);
        transformer.Head.Apply(transformer.Forward(backend.Begin(workspace, ids, positions, caches), activations), logits);
        var values = new float[rows.Length * vocabulary];
        backend.Read(logits, values);
        logits.Buffer.Dispose();
        return [.. values.Chunk(vocabulary)];
    }

    private static int Id(Transformer transformer, int sequence, int position) =>
        (position * 7 + sequence * 11) % transformer.Config.VocabularySize;
}
