using System.Text.Json;
using KvPareto.Cli.Doctor;

namespace KvPareto.Cli.Tests.Doctor;

public class DoctorCommandTests
{
    [Fact]
    public void Doctor_SaysWhatIsThere_AndComparesBackends()
    {
        var run = CommandRun.Of(
            "doctor", "embedded:llama", "--threads", "1", "--setting", "w16a16-k16v16", "--setting", "w16a16-k8v8-t64-prebias");
        Assert.Equal("", run.Error);
        Assert.Equal(0, run.Code);
        foreach (var line in new[] { ".NET ", "processor ", "CUDA devices ", "libtorch ", "cpu ", "cuda ", "torch ", "torch:cuda " })
            Assert.Contains("\n" + line, "\n" + run.Output, StringComparison.Ordinal);
        Assert.Matches(@"w16a16-k16v16 +cpu +0 +0\.001 +\d+ +pass", run.Output);
        var table = run.Output.Split('\n').Where(line => line.Contains("  result") || line.Contains("  pass")).ToList();
        Assert.Single(table.Select(line => Math.Max(line.IndexOf("result", StringComparison.Ordinal),
            line.IndexOf("pass", StringComparison.Ordinal))).Distinct());
        Assert.Matches(@"w16a16-k8v8-t64-prebias .*left out: prebias: the model's keys have no bias", run.Output);
    }

    [Fact]
    public void Doctor_SaysAReasonOnce_AndBreaksLinesWhereATerminalEnds()
    {
        using var output = new StringWriter();
        var text = new DoctorText(output, width: 40);
        text.Write([("libtorch", "this library is too old for what is asked of it"), ("other", "short")]);
        text.Write(new OpenedBackend("torch", null, "this library is too old for what is asked of it"));
        text.Write(new OpenedBackend("cuda", null, "no driver"));
        Assert.Equal(
            """
            libtorch           this library is too
                               old for what is asked
                               of it
            other              short
            torch              does not run here:
                               see libtorch
            cuda               does not run here: no
                               driver

            """, output.ToString());
    }

    [Fact]
    public void Doctor_SaysTheSameAsJson()
    {
        var run = CommandRun.Of(
            "doctor", "embedded:llama", "--threads", "1", "--setting", "w16a16-k16v16", "--setting", "w16a16-k8v8-t64-prebias", "--json");
        Assert.Equal(0, run.Code);
        using var document = JsonDocument.Parse(run.Output);
        var root = document.RootElement;
        Assert.StartsWith(".NET", root.GetProperty("machine").GetProperty(".NET").GetString(), StringComparison.Ordinal);
        Assert.Equal(
            ["cpu", "cuda", "torch", "torch:cuda"],
            root.GetProperty("backends").EnumerateArray().Select(backend => backend.GetProperty("name").GetString()));
        Assert.Equal(JsonValueKind.Null, root.GetProperty("backends")[0].GetProperty("reason").ValueKind);
        Assert.Equal(("embedded:llama", 192), (root.GetProperty("model").GetString(), root.GetProperty("tokens").GetInt32()));
        var first = root.GetProperty("comparisons")[0];
        Assert.Equal(("w16a16-k16v16", "cpu"), (first.GetProperty("setting").GetString(), first.GetProperty("backend").GetString()));
        Assert.Equal((0, true), (first.GetProperty("error").GetDouble(), first.GetProperty("passes").GetBoolean()));
        var last = root.GetProperty("comparisons").EnumerateArray().Last();
        Assert.Equal(JsonValueKind.Null, last.GetProperty("passes").ValueKind);
        Assert.Contains("keys have no bias", last.GetProperty("leftOut").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, root.GetProperty("failed").GetInt32());
    }

    [Fact]
    public void Doctor_RefusesAnUnknownSettingInOneLine()
    {
        var run = CommandRun.Of("doctor", "--setting", "w3a16");
        Assert.Equal(2, run.Code);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }
}
