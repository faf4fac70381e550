using KvPareto.Cpu;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Tasks.Metrics;
using KvPareto.Tasks.Niah;
using KvPareto.Tasks.Synthetic;
using KvPareto.Testing;

namespace KvPareto.Tasks.Tests.Metrics;

/// <summary>
/// A harness whose first forward pass does not read the cache is blind to its setting. Here every metric of generated text must see a
/// 2-bit cache, with a model that answers right at 16 bits. (Likelihoods: FidelityRunTests.)
/// </summary>
public class SensitivityTests
{
    private const int Samples = 10;

    [Fact]
    public void TwoBits_LowerEveryMetricOfGeneratedText()
    {
        using var backend = new CpuBackend();
        using var model = LanguageModel.Load(backend, Path.Combine(TestData.RepositoryRoot, "models", "mistral"), WeightSpec.Full);
        var full = Scores(model, "w16a16-k16v16");
        var coded = Scores(model, "w16a16-k2v2-t64");
        Assert.Equal(7, full.Count);
        Assert.All(full, metric =>
            Assert.True(coded[metric.Key] < metric.Value, $"{metric.Key}: {metric.Value} at 16 bits, {coded[metric.Key]} at 2"));
    }

    // Each metric's mean over all questions of the kinds that it is for.
    private static Dictionary<string, double> Scores(LanguageModel model, string setting)
    {
        var generator = new Generator(model.Transformer, InferenceSetting.Parse(setting));
        var scores = new List<(string Metric, double Score)>();
        foreach (var kind in Enum.GetValues<SyntheticKind>())
        {
            var task = new SyntheticTask(new SyntheticOptions { Kind = kind, Count = Samples, Length = 500, Seed = 5 });
            var samples = task.Prepare(new PromptContext(model.Tokenizer, model.ChatTemplate, 1024));
            // The model's labels survive 2 bits; the answers to questions of fact do not, and serve as classes as well.
            string[] classes = [.. samples.Select(sample => sample.Answers[0]).Distinct()];
            foreach (var sample in samples)
            {
                var (text, answer) =
                    (model.Tokenizer.Decode(generator.Generate(sample.PromptIds, sample.MaxNewTokens, sample.StopIds).Ids),
                    sample.Answers[0]);
                scores.Add(("answer match", task.Score(sample, text)));
                scores.Add((nameof(QaF1), QaF1.Against(text, new())(answer)));
                scores.Add((nameof(RougeL), RougeL.Score(text, answer)));
                scores.Add((nameof(CodeSimilarity), CodeSimilarity.Score(text, answer)));
                if (kind == SyntheticKind.Fact) scores.Add((nameof(Needle), Needle.Score(text, [answer])));
                if (kind == SyntheticKind.Fact) scores.Add((nameof(ClassMatch), ClassMatch.Score(text, answer, classes)));
                if (kind == SyntheticKind.Count) scores.Add((nameof(NumberMatch), NumberMatch.Against(text, new())(answer)));
            }
        }
        return scores.GroupBy(score => score.Metric).ToDictionary(group => group.Key, group => group.Average(score => score.Score));
    }
}
