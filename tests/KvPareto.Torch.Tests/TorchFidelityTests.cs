using System.Text.Json;
using System.Text.RegularExpressions;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Tasks.Fidelity;
using KvPareto.Testing;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Torch.Tests;

/// <summary>
/// Mean KL of the real model against the reference values, over all of their text. A setting takes minutes, so KVPARETO_FIDELITY_SETTINGS
/// chooses them, a regular expression of short names: <c>.</c> for all 42.
/// </summary>
public class TorchFidelityTests
{
    private const double Deviation = 0.03;
    private const double Noise = 1e-5; // of an f16 cache, where the reference's KL is 0
    private const int Windows = 8;
    private const int WindowTokens = 4096;

    [Fact]
    public void MeanDivergence_IsTheReferences()
    {
        TorchLibraryOrSkip.Require();
        var chosen = Environment.GetEnvironmentVariable("KVPARETO_FIDELITY_SETTINGS");
        if (string.IsNullOrEmpty(chosen)) Assert.Skip("needs KVPARETO_FIDELITY_SETTINGS, a regular expression of settings' names");
        var model = TestData.SmolLm2OrSkip();
        var rows = File.ReadLines(TestData.SharedOrSkip("golden", "smollm2", "fidelity.jsonl")).Select(Row.Parse).ToArray();
        var text = File.ReadAllText(TestData.SharedOrSkip("data", "text", "wiki.test.raw"))[..(Windows * WindowTokens * 16)];
        var ids = Tokenizer.Load(model).Encode(text, addSpecialTokens: false);
        int[][] windows = [.. ids.Take(Windows * WindowTokens).Chunk(WindowTokens)];
        using var backend = new TorchBackend(TorchLibraryOrSkip.Device);
        using var checkpoint = ModelSource.Open(model).OpenCheckpoint();
        FidelityReference reference;
        using (var full = TransformerWeights.Load(backend, checkpoint, WeightSpec.Full))
            reference = FidelityReference.Run(
                new Transformer(backend, checkpoint.Config, full), () => ModelSource.Open(model).OpenCheckpoint(), windows);
        var wrong = new List<string>();
        foreach (var same in rows.Where(row => Regex.IsMatch(row.Setting.Name, chosen)).GroupBy(row => row.Setting.Weights))
        {
            using var weights = TransformerWeights.Load(backend, checkpoint, same.Key);
            var meter = new FidelityMeter(new Transformer(backend, checkpoint.Config, weights), reference);
            foreach (var row in same)
            {
                var measured = Enumerable.Range(0, Windows).SelectMany(window => meter.Measure(row.Setting, window).Divergences).Average();
                var line = FormattableString.Invariant($"{row.Setting.Name}: {measured:G6}, the reference has {row.Divergence:G6}");
                TestContext.Current.SendDiagnosticMessage(line);
                if (Math.Abs(measured - row.Divergence) > Math.Max(Deviation * row.Divergence, Noise)) wrong.Add(line);
            }
        }
        Assert.Empty(wrong);
    }

    // A line of the reference file.
    private sealed record Row(InferenceSetting Setting, double Divergence)
    {
        public static Row Parse(string line)
        {
            using var document = JsonDocument.Parse(line);
            var row = document.RootElement;
            var weights = row.GetProperty("weight_bits").GetInt32() is 16 ? "w16a16"
                : $"w{row.GetProperty("weight_bits")}g{row.GetProperty("weight_group")}a16";
            var (keys, values) = (row.GetProperty("key_bits").GetInt32(), row.GetProperty("value_bits").GetInt32());
            var (keyGroup, valueGroup) = (Group("key_group"), Group("value_group"));
            var groups = (keys < 16, values < 16) switch
            {
                (true, true) when keyGroup != valueGroup => $"-k{keyGroup}-v{valueGroup}",
                (true, _) => "-" + keyGroup,
                (_, true) => "-" + valueGroup,
                _ => "",
            };
            var name = $"{weights}-k{keys}v{values}{groups}{(row.GetProperty("smooth").GetBoolean() ? "-smooth" : "")}"
                + (row.GetProperty("rotation").GetString() is { } rotation ? $"-rot{rotation}" : "")
                + Count("sink", "-sink") + Count("edge", "-edge") + Count("chunk", "-c");
            return new(InferenceSetting.Parse(name), row.GetProperty("kl_mean").GetDouble());

            string Group(string property) => row.GetProperty(property).GetString()!.Replace("token:", "t", StringComparison.Ordinal)
                .Replace("channel:", "ch", StringComparison.Ordinal).Replace("block:", "b", StringComparison.Ordinal);

            string Count(string property, string word) =>
                row.GetProperty(property) is { ValueKind: JsonValueKind.Number } count && count.GetInt32() > 0 ? $"{word}{count}" : "";
        }
    }
}
