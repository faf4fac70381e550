using System.Globalization;
using KvPareto.Text.Input;

namespace KvPareto.Benchmarks;

/// <summary>Measures the engine against what the machine can do: <c>dotnet run -c Release --project benchmarks/KvPareto.Benchmarks --
/// VERB</c>.</summary>
internal static class Program
{
    private const string DefaultModel = "random:1:Llama-3.1-8B";

    private static readonly int[] DefaultDepths = [64, 512, 4096];

    private const string Usage = """
        usage: KvPareto.Benchmarks VERB
          machine   read bandwidth, arithmetic peak and dense f32 product of this machine
          linear [FORMAT…]          one linear layer of each shape of SmolLM2-135M: GB/s and GFLOP/s, and their fraction of the machine's
          kernels   a linear layer in the cache, on one core, at each vector width
          attention [DEPTH [SETTING…]]  one token's attention over a deep cache (4096 tokens), against its bytes and operations
          model MODEL [SETTING…]    prefill and decode of a whole model, at depth 0 and 4096
          batch MODEL [DEPTHS [SETTING…]]  several sequences decoding together, after prompts of 64,512,4096 tokens
          cuda [MODEL [TOKENS… SETTING…]]   the same on a CUDA device after prompts of so many tokens, else of 1,000 and 10,240 (random:1:Llama-3.1-8B);
                                    SETTING@TOKENSxN: steps of N sequences that have prompts of so many tokens
          torch DEVICE TOKENS [MODEL [SETTING…]]  the same on PyTorch (:cpu, :cuda) after a prompt of so many tokens; torch-ops: by
                                    PyTorch's ops alone
          tokenizer FOLDER TEXT     loading, first and later passes over a text
        """;

    private static int Main(string[] args)
    {
        try
        {
            return Run(args);
        }
        catch (Exception error) when (error is ConfigException or FormatException)
        {
            Console.Error.WriteLine(error.Message);
            return 2;
        }
    }

    private static int Run(string[] args)
    {
        switch (args)
        {
            case ["machine"]: MachineFloors.Measure().Print(); return 0;
            case ["kernels"]: KernelBenchmark.Run(); return 0;
            case ["linear", .. var formats]: LinearBenchmark.Run(formats); return 0;
            case ["attention"]: AttentionBenchmark.Run(4096, []); return 0;
            case ["attention", var depth, .. var settings] when int.TryParse(depth, out var tokens)
                && tokens > 0:
                AttentionBenchmark.Run(tokens, settings); return 0;
            case ["cuda"]: CudaBenchmark.Run(DefaultModel, []); return 0;
            case ["cuda", var model, .. var settings]: CudaBenchmark.Run(model, settings); return 0;
            case ["torch" or "torch-ops", var device, var length, .. var rest] when int.TryParse(length, out var tokens)
                && tokens > 0:
                TorchBenchmark.Run(device, rest.FirstOrDefault() ?? DefaultModel, tokens, [.. rest.Skip(1)], args[0] == "torch");
                return 0;
            case ["model", var model, .. var settings]: ModelBenchmark.Run(model, settings); return 0;
            case ["batch", var model]: BatchBenchmark.Run(model, DefaultDepths, []); return 0;
            case ["batch", var model, var depths, .. var settings]:
                BatchBenchmark.Run(model, [.. depths.Split(',').Select(depth => int.Parse(depth, CultureInfo.InvariantCulture))], settings);
                return 0;
            case ["tokenizer", var folder, var text]: TokenizerBenchmark.Run(folder, text); return 0;
            default:
                Console.Error.WriteLine(Usage);
                return 2;
        }
    }
}
