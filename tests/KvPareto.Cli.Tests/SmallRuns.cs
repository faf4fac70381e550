using KvPareto.Testing;

namespace KvPareto.Cli.Tests;

/// <summary>
/// Two runs of one embedded model that differ in the length of their prompts; made once. The shorter one has a second task, whose samples
/// have a further score.
/// </summary>
public sealed class SmallRuns : IDisposable
{
    public const string Model = "embedded:llama";
    public const string Settings = "w4g64a16-k8v8-t64-c64, w4g64a16-k2v2-t64-c64";

    private readonly ScratchFolder _folder = new();

    public SmallRuns()
    {
        _folder.Write("questions.jsonl", string.Concat(Enumerable.Range(0, 3).Select(i =>
            $$$"""{"question": "What is {{{i}}} + 1?", "answer": "It is one more.\n#### {{{i + 1}}}"}""" + "\n")));
        Sweep("short", 200, "\n  - {task: gsm8k, file: questions.jsonl, shots: 0, max_new_tokens: 8}");
        Sweep("long", 700, "");
    }

    public string Short => _folder["short"];

    public string Long => _folder["long"];

    /// <summary>A file beside the runs.</summary>
    public string this[string name] => _folder[name];

    public void Dispose() => _folder.Dispose();

    private void Sweep(string name, int length, string task)
    {
        var config = _folder.Write($"{name}.yaml", $$"""
            name: {{name}}
            models: [{{Model}}]
            tasks:
              - {task: embedded, kind: fact, samples: 4, length: {{length}}}{{task}}
            settings: [{{Settings}}]
            baseline: w16a16-k16v16
            timing: {repeats: 1, warmup: 1}
            """);
        var run = CommandRun.Of("sweep", config, "--out", _folder[name], "--threads", "1");
        Assert.Equal(0, run.Code);
    }
}
