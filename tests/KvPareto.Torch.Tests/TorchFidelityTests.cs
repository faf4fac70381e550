using System.Text.Json;
using System.Text.RegularExpressions;
using KvPareto.Cpu;
using KvPareto.Cuda;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Tasks.Fidelity;
using KvPareto.Testing;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Torch.Tests;

/// <summary>
/// Mean KL from the 16-bit model, in the 42 settings of the reference file: of an embedded model as the processor's own backend measures
/// it, and of the real one as the file has it, over all of its text. There a setting takes minutes, so KVPARETO_FIDELITY_SETTINGS chooses
/// them, a regular expression of short names: <c>.</c> for all. On a GPU they run with the activations and kernels that a user gets, or
/// with f32 activations by PyTorch's ops where KVPARETO_FIDELITY_ACTIVATIONS is <c>f32</c>.
/// </summary>
public class TorchFidelityTests
{
    private static readonly Row[] Rows = [.. File.ReadLines(TestData.Golden("smollm2", "fidelity.jsonl")).Select(Row.Parse)];

    [Fact]
    public void MeanDivergence_IsTheCpus()
    {
        const double Deviation = 0.06; // where all of an append has one scale, which rounds to f16 the other way
        const double Noise = 1e-6;
        TorchLibraryOrSkip.Require();
        var model = Path.Combine(TestData.RepositoryRoot, "models", "llama");
        var text = File.ReadAllText(TestData.Golden("longbench-prompts.jsonl"));
        var ids = ModelSource.Open(model).LoadTokenizer()!.Encode(text, addSpecialTokens: false);
        int[][] windows = [.. ids.Chunk(512).Take(2)];
        InferenceSetting[] settings = [.. Rows.Select(row => row.Setting)];
        using var cpu = new CpuBackend();
        using var torch = new TorchBackend(TorchLibraryOrSkip.Device, activations: DType.F32);
        var expected = MeanDivergences(cpu, model, windows, settings).ToDictionary();
        AssertClose(MeanDivergences(torch, model, windows, settings), expected, Deviation, Noise);
    }

    [Fact]
    public void MeanDivergence_IsTheReferences()
    {
        TorchLibraryOrSkip.Require();
        const int Windows = 8, WindowTokens = 4096;
        const double Deviation = 0.03;
        const double Noise = 1e-5; // of an f16 cache, where the file's KL is 0
        var chosen = Environment.GetEnvironmentVariable("KVPARETO_FIDELITY_SETTINGS");
        if (string.IsNullOrEmpty(chosen)) Assert.Skip("needs KVPARETO_FIDELITY_SETTINGS, a regular expression of settings' names");
        var model = TestData.SmolLm2OrSkip();
        var text = File.ReadAllText(TestData.SharedOrSkip("data", "text", "wiki.test.raw"))[..(Windows * WindowTokens * 16)];
        int[][] windows = [.. Tokenizer.Load(model).Encode(text, addSpecialTokens: false).Take(Windows * WindowTokens).Chunk(WindowTokens)];
        using var backend = Environment.GetEnvironmentVariable("KVPARETO_FIDELITY_ACTIVATIONS") == "f32"
            ? new TorchBackend(TorchLibraryOrSkip.Device, activations: DType.F32)
            : new TorchBackend(TorchLibraryOrSkip.Device, kernels: CudaBackend.TryCreate);
        AssertClose(
            MeanDivergences(backend, model, windows, Rows.Select(row => row.Setting).Where(setting => Regex.IsMatch(setting.Name, chosen))),
            Rows.ToDictionary(row => row.Setting.Name, row => row.Divergence), Deviation, Noise);
    }

    private static void AssertClose(
        IEnumerable<KeyValuePair<string, double>> measured, Dictionary<string, double> expected, double deviation, double noise)
    {
        var wrong = new List<string>();
        foreach (var (name, divergence) in measured)
        {
            var line = FormattableString.Invariant($"{name}: {divergence:G6}, expected {expected[name]:G6}");
            TestContext.Current.SendDiagnosticMessage(line);
            if (Math.Abs(divergence - expected[name]) > Math.Max(deviation * expected[name], noise)) wrong.Add(line);
        }
        Assert.Empty(wrong);
    }

    private static IEnumerable<KeyValuePair<string, double>> MeanDivergences(
        Backend backend, string model, int[][] windows, IEnumerable<InferenceSetting> settings)
    {
        using var checkpoint = ModelSource.Open(model).OpenCheckpoint();
        FidelityReference reference;
        using (var full = TransformerWeights.Load(backend, checkpoint, WeightSpec.Full))
            reference = FidelityReference.Run(
                new Transformer(backend, checkpoint.Config, full), () => ModelSource.Open(model).OpenCheckpoint(), windows);
        foreach (var same in settings.GroupBy(setting => setting.Weights))
        {
            using var weights = TransformerWeights.Load(backend, checkpoint, same.Key);
            var meter = new FidelityMeter(new Transformer(backend, checkpoint.Config, weights), reference);
            foreach (var setting in same)
                yield return new(
                    setting.Name,
                    Enumerable.Range(0, windows.Length).SelectMany(window => meter.Measure(setting, window).Divergences).Average());
        }
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
