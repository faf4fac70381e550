using KvPareto.Cli.Terminal;
using KvPareto.Engine.Model;
using KvPareto.Testing;

namespace KvPareto.Cli.Tests.Commands;

public class GenerateCommandTests
{
    /// <summary>A model without tokenizer takes made-up ids; its answer is ids.</summary>
    [Fact]
    public void PromptTokens_NeedNoTokenizer()
    {
        using var folder = new ScratchFolder();
        var model = new TinyModel().Write(folder["model"]);
        var run = CommandRun.Of("generate", model, "--prompt-tokens", "20", "--max-new-tokens", "3", "--json");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("\"promptTokens\":20", run.Output, StringComparison.Ordinal);
        Assert.Contains("\"text\":null", run.Output, StringComparison.Ordinal);
        Refused(CommandRun.Of("generate", model, "--prompt", "Hello"), "has no tokenizer");
        Refused(CommandRun.Of("generate", model, "--prompt-tokens", "2000"), "up to the model's 1024 positions");
    }

    [Fact]
    public void SettingIsCalledByTheGroupThatWasTaken()
    {
        using var folder = new ScratchFolder();
        var model = new TinyModel { FeedForward = 96 }.Write(folder["model"]);
        var run = CommandRun.Of("generate", model, "--prompt-tokens", "5", "--max-new-tokens", "2", "--setting", "w4a16-k16v16");
        Assert.StartsWith("w4g32a16-k16v16: 5 prompt tokens", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void WeightsThatAreNotFinite_EndInOneLineAndExitCode2()
    {
        using var folder = new ScratchFolder();
        var model = new TinyModel { Type = TensorType.F32 }.Write(folder["model"]);
        var file = Path.Combine(model, "model.safetensors");
        var bytes = File.ReadAllBytes(file);
        bytes.AsSpan(bytes.Length / 2).Fill(0xff); // every f32 a NaN
        File.WriteAllBytes(file, bytes);
        Refused(CommandRun.Of("generate", model, "--prompt-tokens", "5"), "the logits are not finite");
    }

    [Fact]
    public void HeadsOfAnOddWidth_AreRefused()
    {
        using var folder = new ScratchFolder();
        var model = new TinyModel { HeadDim = 10 }.Write(folder["model"]);
        Refused(CommandRun.Of("generate", model, "--prompt-tokens", "5", "--setting", "w16a16-k2v16-ch16"),
            "head_dim is 10; allowed: a multiple of 4");
        Refused(CommandRun.Of("plan", model, "--context", "10", "--settings", "w16a16-k16v16"), "head_dim is 10; allowed: a multiple of 4");
    }

    [Fact]
    public void WhatNoDeviceOfAKindSupports_IsNotPlannedForIt()
    {
        using var folder = new ScratchFolder();
        var model = new TinyModel { HeadDim = 24 }.Write(folder["model"]);
        Assert.Equal(ExitCode.Ok, CommandRun.Of("plan", model, "--context", "10", "--settings", "w16a16-k16v16").Code);
        Refused(CommandRun.Of("plan", model, "--context", "10", "--settings", "w16a16-k16v16", "--device", "cuda"),
            "device cuda: the model's head_dim is 24; allowed: a multiple of 16 up to 256");
    }

    [Fact]
    public void WhatIsTyped_DoesNotSteerTheTerminal()
    {
        var run = CommandRun.Of("generate", "no\u001b[31m\nmodel", "--prompt-tokens", "5");
        Refused(run, "there is no such model");
        Assert.DoesNotContain('\u001b', run.Error);
        Refused(CommandRun.Of("generate", "random:1:Llama-3.1-8B", "--prompt-tokens", "5", "--setting", "w16a16-k16v16\n"),
            "is not understood here");
    }

    private static void Refused(CommandRun run, string message)
    {
        Assert.Equal((ExitCode.UserMistake, ""), (run.Code, run.Output));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }
}
