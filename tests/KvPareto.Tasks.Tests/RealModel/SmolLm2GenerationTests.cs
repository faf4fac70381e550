using System.Text.Json;
using KvPareto.Cpu;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Settings;
using KvPareto.Tasks.LongBench;
using KvPareto.Tasks.Tests.Niah;
using KvPareto.Testing;
using KvPareto.Text.Templates;

namespace KvPareto.Tasks.Tests.RealModel;

/// <summary>Greedy output of SmolLM2-135M-Instruct against transformers in f32 (Data/smollm2/generations.jsonl).</summary>
public class SmolLm2GenerationTests
{
    // Rows whose best two logits come closer than this may rightly differ with a 16-bit cache.
    private const double SafeMargin = 0.03;

    [Theory]
    [InlineData("w16a16-k16v16-c256")]
    public void Greedy_EqualsTransformers_WhereTheMarginAllows(string setting)
    {
        var folder = TestData.SmolLm2OrSkip();
        var essays = Haystack.Read(TestData.SharedOrSkip("data", "niah", "PaulGrahamEssays"));
        var news = File.ReadLines(TestData.SharedOrSkip("data", "longbench", "multi_news.jsonl")).ToArray();
        using var backend = new CpuBackend();
        using var model = LanguageModel.Load(backend, folder, InferenceSetting.Parse(setting).Weights);
        var generator = new Generator(model.Transformer, InferenceSetting.Parse(setting));
        var (safe, close, closeEqual) = (0, 0, 0);
        foreach (var line in File.ReadLines(TestData.Golden("smollm2", "generations.jsonl")))
        {
            using var row = JsonDocument.Parse(line);
            var expected = row.RootElement.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).ToArray();
            var message = Message(row.RootElement, essays, news);
            var prompt = model.Tokenizer.Encode(model.ChatTemplate!.Render([new ChatMessage("user", message)]), addSpecialTokens: false);
            // The file's transformers replaced the tokenizer's digit rule; where that changes the prompt, the outputs are not comparable.
            if (prompt.Length != row.RootElement.GetProperty("prompt_tokens").GetInt32())
            {
                TestContext.Current.TestOutputHelper?.WriteLine(
                    $"prompt of {prompt.Length} tokens, not {row.RootElement.GetProperty("prompt_tokens")}: {message[..60]}");
                continue;
            }
            var ids = generator.Generate(prompt, Limit(row.RootElement)).Ids;
            if (row.RootElement.GetProperty("min_margin").GetDouble() >= SafeMargin)
            {
                Assert.Equal(expected, ids);
                safe++;
                continue;
            }
            close++;
            if (ids.SequenceEqual(expected)) closeEqual++;
        }
        Assert.True(safe >= 20, $"only {safe} rows were compared");
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{setting}: {safe} rows with a margin of {SafeMargin} or more are equal, and {closeEqual} of {close} others");
    }

    private static int Limit(JsonElement row) => row.GetProperty("kind").GetString() == "needle" ? 32 : 64;

    private static string Message(JsonElement row, string essays, string[] news)
    {
        switch (row.GetProperty("kind").GetString())
        {
            case "short":
                return row.GetProperty("message").GetString()!;
            case "needle":
                return ReferencePrompt.Of(essays, row.GetProperty("chars").GetInt32(), row.GetProperty("depth").GetDouble());
            default:
                using (var document = JsonDocument.Parse(news[row.GetProperty("row").GetInt32()]))
                {
                    var dataset = LongBenchDataset.All.Single(d => d.Name == "multi_news");
                    return dataset.Format(
                        document.RootElement.GetProperty("context").GetString()!, document.RootElement.GetProperty("input").GetString()!);
                }
        }
    }
}
