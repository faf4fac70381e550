using System.Collections.Concurrent;

namespace KvPareto.Cli.Tests.Shell;

public class CompletionTests
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "kvpareto");

    // What the program writes for each shell.
    private static readonly ConcurrentDictionary<string, Task<(int Code, string Output)>> Scripts = new();

    [Theory]
    [InlineData("sw", "sweep")]
    [InlineData("sweep --resu", "--resume")]
    [InlineData("sweep a.yaml --device cu", "cuda torch:cuda")]
    [InlineData("sweep a.yaml --device ", "cpu cuda torch torch:cuda")]
    [InlineData("report runs/a --format s", "svg")]
    [InlineData("bench embedded:q", "embedded:qwen2")]
    [InlineData("plan Lla", "Llama-3.1-8B Llama-3.2-3B embedded:llama")]
    [InlineData("quantize m --method ", "awq rtn")]
    [InlineData("bench m -o ", "csv json md table")]
    [InlineData("completion ba", "bash")]
    public void Directive_NamesWhatFits(string line, string words)
    {
        var run = Suggest(line);
        Assert.Equal(0, run.Code);
        Assert.Equal(words.Split(' '), Lines(run.Output));
    }

    [Fact]
    public void Directive_NamesEveryCommand()
    {
        var words = Lines(Suggest("").Output);
        foreach (var verb in HelpTests.Verbs.Select(row => row.Data).Where(verb => verb.Length > 0)) Assert.Contains(verb, words);
    }

    /// <summary>What a slash begins is a file.</summary>
    [Fact]
    public void Slash_IsNoOption() => Assert.DoesNotContain("/h", Lines(Suggest("sweep ").Output));

    [Theory]
    [InlineData("kvpareto sw", "sweep")]
    [InlineData("  kvpareto  bench embedded:ll", "llama")] // bash parts words at colons
    [InlineData("kvpareto sweep a.yaml --device torch", "torch,torch:cuda")]
    [InlineData("kvpareto tokenize runs/", "")] // left to bash's names of files
    public async Task Bash_PutsInWhatTheProgramNames(string line, string words) => Assert.Equal(words, await Run("bash", $$"""
        source /dev/stdin
        COMP_LINE='{{line}}' COMP_POINT={{line.Length}} _kvpareto '{{Program}}'
        IFS=,; echo "${COMPREPLY[*]}"
        """));

    [Theory]
    [InlineData("sw", "sweep")]
    [InlineData("bench embedded:ll", "embedded:llama")]
    public async Task Zsh_PutsInWhatTheProgramNames(string line, string words) => Assert.Equal(words, await Run("zsh", $$"""
        compdef() { : }; _files() { : }; compadd() { shift; print -- ${(j:,:)@} }
        source /dev/stdin
        words=('{{Program}}' ${(z):-'{{line}}'}) CURRENT=$#words PREFIX=$words[-1]
        _kvpareto
        """));

    [Theory]
    [InlineData("sw", "sweep")]
    [InlineData("sweep a.yaml --device cp", "cpu")]
    public async Task Fish_PutsInWhatTheProgramNames(string line, string words) => Assert.Equal(words, await Run("fish", $$"""
        cd (mktemp -d)
        set -x PATH '{{AppContext.BaseDirectory}}' $PATH
        source -
        complete -C 'kvpareto {{line}}'
        """));

    [Fact]
    public void UnknownShell_IsRefused()
    {
        var run = CommandRun.Of("completion", "tcsh");
        Assert.Equal(2, run.Code);
        Assert.Contains("'tcsh'; allowed: bash, zsh, fish", run.Error, StringComparison.Ordinal);
    }

    private static CommandRun Suggest(string line) => CommandRun.Of($"[suggest:{line.Length}]", line);

    private static string[] Lines(string output) => output.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static async Task<string> Run(string shell, string script)
    {
        var (code, completion) =
            await Scripts.GetOrAdd(shell, static shell => ExternalProgram.Run(Program, ["completion", shell], ""));
        Assert.Equal(0, code);
        (code, var output) = await ExternalProgram.Run(shell, ["-c", script], completion);
        Assert.Equal(0, code);
        return output.Trim();
    }
}
