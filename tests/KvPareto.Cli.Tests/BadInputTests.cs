using KvPareto.Testing;

namespace KvPareto.Cli.Tests;

/// <summary>A user's mistake: one line that names it and what is allowed, exit 2, no stack trace, nothing written.</summary>
public class BadInputTests
{
    private static readonly string Model = TestData.Golden("models", "llama");

    public static TheoryData<string[], string> Mistakes => new()
    {
        { ["generate", "no/such/model", "--prompt", "x"], "no/such/model" },
        { ["generate", "embedded:gpt", "--prompt", "x"], "allowed: embedded:llama" },
        { ["generate", "embedded:llama"], "give one of --prompt TEXT" },
        { ["generate", "embedded:llama", "--prompt", "x", "--prompt-file", "y"], "give one of --prompt TEXT" },
        { ["generate", "embedded:llama", "--prompt", "x", "--setting", "w4a16-k3v4-t64"], "'k3v4' is not understood here" },
        { ["generate", "embedded:llama", "--prompt", "x", "--setting", "w16a16-k4v4-t48"], "head_dim of 64" },
        { ["generate", "embedded:llama", "--prompt", "x", "--setting", "w4g96a16-k16v16"], "weight group 96 does not divide" },
        { ["generate", "embedded:llama", "--prompt", "x", "--setting", "w16a16-k4v4-t64-prebias"], "prebias" },
        { ["generate", "embedded:llama", "--prompt", "x", "--chunk", "-1"], "--chunk -1" },
        { ["generate", "embedded:llama", "--prompt", "x", "--chunk", "1000001"], "--chunk 1000001; allowed: 0 for the whole prompt, or 1" },
        { ["generate", "embedded:llama", "--prompt", "x", "--max-new-tokens", "0"], "--max-new-tokens 0" },
        { ["generate", "embedded:llama", "--prompt", "x", "--max-new-tokens", "5000"], "max_position_embeddings" },
        { ["generate", "embedded:llama", "--prompt-file", "no/such/file"], "no/such/file" },
        { ["tokenize", Model], "tokenizer.json" },
        { ["tokenize", "embedded:llama", "--chat"], "no chat template" },
        { ["tokenize", "embedded:llama", "no/such/file"], "no/such/file" },
        { ["score", "no/such/file.jsonl"], "no/such/file.jsonl" },
        { ["score", "-"], "standard input: has no rows" },
        { ["plan", "Llama-3.1-8B", "--fits", "8"], "--fits '8'; allowed: a number and a unit, such as 8GiB: B, KB" },
        { ["sweep", "--resume", "--out", "no/such/run"],
            "--resume: no/such/run: there is no such folder; allowed: leave out --resume to begin a run" },
        { ["plan", new string('x', 100_000)], " … " },
        { ["report", "no/such/folder"], "no/such/folder" },
        { ["sweep", "no/such/config.yaml"], "no/such/config.yaml" },
        { ["sweep", "--what"], "--what" },
        { ["swep"], "'swep' is no command or option here; did you mean 'sweep'?" },
        { ["sweep", "--dryrun"], "'--dryrun' is no command or option here; did you mean '--dry-run'?" },
        { ["report", "--formt", "png"], "'--formt' is no command or option here; did you mean '--format'?" },
        { ["frontier", "run", "-x"], "'-x' is no command or option here; 'kvpareto frontier --help'" },
        { ["sweep", "--", "--dryrun"], "--dryrun: no such file" },
        { ["sweep", "--out", ""], "--out ''" },
        { ["sweep", ""], "CONFIG ''; 'kvpareto sweep --help' says what is allowed" },
        { ["sweep", "--model", ""], "--model ''" },
        { ["sweep", "--out", "--dry-run"], "--out has no value; 'kvpareto sweep --help' says what is allowed" },
        { ["sweep", "--out", "--help"], "--out has no value" },
        { ["plan", "embedded:llama", "--context", "100", "--context"], "--context has no value" },
        { ["sweep", "--out=", "--dry-run"], "--out ''; allowed: a folder" },
        { ["bench", "embedded:llama", "-p", "-n", "4"], "--prompt has no value" },
        { ["logits", "embedded:llama", "--ids=", "--out", "nowhere.safetensors"], "--ids ''; allowed: token ids" },
        { ["submit", "", "--profile", "", "--out", "nowhere"], "''; 'kvpareto submit --help' says what is allowed" },
        { ["sweep", "--resume", "--out", "."], "--resume: .: holds no run; allowed: " },
        { ["sweep", "--budget-hours", "1,5"], "--budget-hours '1,5'; allowed: a number" },
        { ["sweep", "--budget-hours", "nan"], "--budget-hours 'nan'; allowed: a number" },
        { ["sweep", "--budget-hours", "-1e300", "--out", "nowhere"], "--budget-hours -1; allowed: a number above 0" },
        { ["frontier", "r", "--check", "b.csv", "--peak-tolerance", "1,5"], "--peak-tolerance '1,5'; allowed: a number" },
        { ["sweep", "--threads", "abc"], "--threads 'abc'; allowed: 1 to 1024" },
        { ["plan", "Llama-3.1-8B", "--threads", "0"], "--threads '0'; allowed: 1 to 1024" },
        { ["plan", "Llama-3.1-8B", "--new-tokens", "many"], "'many' for option '--new-tokens'; allowed: a whole number" },
        { ["fidelity", "embedded:llama", "--text", "no/such/file"], "no/such/file" },
        { ["plan", "no/such/model"], "no/such/model" },
        { ["quantize", "embedded:llama", "--method", "awq", "--out", "nowhere"], "--calibration" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Mistake_IsOneLineAndExitsWith2(string[] arguments, string expected)
    {
        var run = CommandRun.Of(arguments);
        Assert.Equal(2, run.Code);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
        Assert.StartsWith("kvpareto: ", Assert.Single(run.Error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.InRange(run.Error.Length, 0, 2100);
        Assert.DoesNotContain("System.", run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists("nowhere"));
    }
}
