using System.Text.Json;
using KvPareto.Cpu;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Settings;
using KvPareto.Tasks.Mmlu;
using KvPareto.Testing;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Tasks.Tests.RealModel;

/// <summary>MMLU, 5-shot, on SmolLM2-135M-Instruct against transformers in f32 (Data/smollm2/mmlu.jsonl).</summary>
public class SmolLm2MmluTests
{
    // The file's five decimals, and f32 sums in another order.
    private const double LikelihoodTolerance = 1e-4;

    [Fact]
    public void Prompts_HaveTheReferencesTokensAndEnd()
    {
        var tokenizer = Tokenizer.Load(TestData.SharedOrSkip("models", "SmolLM2-135M-Instruct"));
        var rows = 0;
        foreach (var (golden, sample) in Samples(tokenizer))
        {
            Assert.Equal(golden.GetProperty("prompt_tokens").GetInt32(), sample.PromptIds.Length);
            Assert.EndsWith(golden.GetProperty("prompt_tail").GetString()!, tokenizer.Decode(sample.PromptIds), StringComparison.Ordinal);
            Assert.Equal(golden.GetProperty("answer").GetString(), Assert.Single(sample.Answers));
            Assert.Equal([" A", " B", " C", " D"], sample.Continuations.Select(ids => tokenizer.Decode(ids)));
            Assert.All(sample.Continuations, ids => Assert.Single(ids));
            rows++;
        }
        Assert.Equal(36, rows);
    }

    [Fact]
    public void Likelihoods_EqualTransformers()
    {
        var folder = TestData.SmolLm2OrSkip();
        var setting = InferenceSetting.Parse("w16a16-k32v32-c256");
        using var backend = new CpuBackend();
        using var model = LanguageModel.Load(backend, folder, setting.Weights);
        var generator = new Generator(model.Transformer, setting);
        var worst = 0.0;
        foreach (var (golden, sample) in Samples(model.Tokenizer))
        {
            var values = generator.LogLikelihoods(sample.PromptIds, sample.Continuations).Values;
            var expected = golden.GetProperty("loglik").EnumerateArray().Select(value => value.GetDouble());
            worst = Math.Max(worst, values.Zip(expected, (actual, wanted) => Math.Abs(actual - wanted)).Max());
            Assert.Equal(golden.GetProperty("choice").GetString(), "ABCD"[values.ToList().IndexOf(values.Max())].ToString());
        }
        Assert.InRange(worst, 0, LikelihoodTolerance);
        TestContext.Current.TestOutputHelper?.WriteLine($"largest difference {worst:g3}");
    }

    private static IEnumerable<(JsonElement Golden, TaskSample Sample)> Samples(Tokenizer tokenizer)
    {
        var golden = File.ReadLines(TestData.Golden("smollm2", "mmlu.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)
            .ToArray();
        var task = new MmluTask(new MmluOptions
        {
            Folder = TestData.SharedOrSkip("data", "mmlu"),
            Subjects = [.. golden.Select(Subject).Distinct()],
            Limit = golden.Max(row => row.GetProperty("row").GetInt32()) + 1,
        });
        var samples = task.Prepare(new PromptContext(tokenizer, null, 8000)).ToDictionary(sample => sample.Id);
        return golden.Select(row => (row, samples[$"{Subject(row)}-{row.GetProperty("row").GetInt32()}"]));

        static string Subject(JsonElement row) => row.GetProperty("subject").GetString()!;
    }
}
