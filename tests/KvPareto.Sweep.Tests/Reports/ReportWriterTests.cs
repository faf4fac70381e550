using System.Buffers.Binary;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Reports.Cairo;
using KvPareto.Sweep.Reports.Chart;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Reports;

public sealed class ReportWriterTests : IDisposable
{
    private static readonly ReportOptions Options = new() { Seed = 3 };

    private readonly string _folder = Directory.CreateTempSubdirectory("reports").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Write_GivesTheSameBytesWhateverTheOrderOfTheTrials()
    {
        SkipWithoutCairo();
        TrialResult[] trials = [.. SomeTrial.Sweep("llama"), .. SomeTrial.Sweep("qwen")];
        var first = ReportWriter.Write(Path.Combine(_folder, "a"), trials, Options);
        var second = ReportWriter.Write(Path.Combine(_folder, "b"), [.. trials.Reverse()], Options);
        Assert.Equal(["results.csv", "frontier.csv", "frontier.png"], first.Files.Select(Path.GetFileName));
        Assert.Equal(3, Directory.GetFileSystemEntries(Path.Combine(_folder, "a")).Length);
        foreach (var (a, b) in first.Files.Zip(second.Files)) Assert.Equal(File.ReadAllBytes(a), File.ReadAllBytes(b));
        Assert.Empty(first.Messages);
    }

    [Theory]
    [InlineData(1, 1688)]
    [InlineData(2, 2220)]
    [InlineData(3, 2772)]
    [InlineData(7, 2772)]
    public void Write_DrawsAPanelForEachModel(int models, int width)
    {
        SkipWithoutCairo();
        var png = Draw([.. Enumerable.Range(0, models).SelectMany(model => SomeTrial.Sweep($"model {model}"))]);
        Assert.Equal([0x89, .. "PNG\r\n\u001a\n"u8], png[..8]);
        Assert.Equal(width, BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)));
        Assert.InRange(BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20)), 900, 3200);
    }

    [Fact]
    public void Write_DrawsWhatTheTrialsSay()
    {
        SkipWithoutCairo();
        var trials = SomeTrial.Sweep("m");
        Assert.NotEqual(Draw(trials), Draw([.. trials.Skip(1)]));
    }

    [Theory]
    [InlineData(1, 1, 0.5)]
    [InlineData(1L << 10, 1L << 40, 1)]
    [InlineData(1L << 62, 1L << 62, 0)]
    [InlineData(5, 6, 0)]
    public void Write_DrawsExtremeTrials(long low, long high, double score)
    {
        SkipWithoutCairo();
        var names = new string('m', 3000) + "\u0000\uD800\n";
        Assert.NotEmpty(Draw(
        [
            SomeTrial.Ok(names, "w16a16-k16v16", high, (names, [score])),
            SomeTrial.Ok(names, names, low, (names, [score])),
        ]));
    }

    [Fact]
    public void Write_WritesTheTablesAndNamesThePackageWhereCairoIsMissing()
    {
        File.WriteAllText(Path.Combine(_folder, "frontier.png"), "of an earlier report");
        var summary = ReportWriter.Write(_folder, SomeTrial.Sweep("m"), Options, (_, _) => throw new DllNotFoundException());
        Assert.Equal(["frontier.csv", "results.csv"], Directory.GetFiles(_folder).Select(Path.GetFileName).Order());
        Assert.Equal(
            "frontier.png was not drawn: it needs libcairo.so.2; install the package libcairo2 and run `kvpareto report` again",
            Assert.Single(summary.Messages));
    }

    [Fact]
    public void Write_SaysWhyThereIsNoPictureWhereNothingWasScored()
    {
        var summary = ReportWriter.Write(_folder, [SomeTrial.Failed("m", "w16a16-k16v16", "out of memory")], Options);
        Assert.Equal(["m: no trial has a result", "frontier.png was not drawn: no trial has a score"], summary.Messages);
        Assert.Equal(("m", "w16a16-k16v16", "out of memory"),
            Assert.Single(summary.Rows.Select(row => (row.Model, row.Setting, row.Failure))));
    }

    [Fact]
    public void Write_OfNoTrialsGivesHeadingsOnly()
    {
        ReportWriter.Write(_folder, [], Options);
        Assert.All(["results.csv", "frontier.csv"], name => Assert.Single(File.ReadAllLines(Path.Combine(_folder, name))));
    }

    [Fact]
    public void Write_SumsUpForTheTerminal()
    {
        var summary = ReportWriter.Write(_folder, SomeTrial.Sweep("m"), Options, (_, _) => [1]);
        Assert.Equal([400L, 500, 800, 1000, null], summary.Rows.Select(row => row.PeakBytes));
        Assert.Equal([true, false, true, false, false], summary.Rows.Select(row => row.OnFrontier));
        Assert.Equal([false, false, false, true, false], summary.Rows.Select(row => row.IsBaseline));
        var model = Assert.Single(summary.Models);
        Assert.Equal(
            ("m", 4, 2, 1, 1050L), (model.Model, model.Points, model.FrontierPoints, model.FailedTrials, model.ReferenceBytes));
    }

    [Fact]
    public void Write_NamesTheFolderThatCannotBeWritten()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        var error = Assert.Throws<ConfigException>(() => ReportWriter.Write(file, SomeTrial.Sweep("m"), Options, (_, _) => [1]));
        Assert.StartsWith(file + ": the report cannot be written", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Image_NamesTheCallThatFailed()
    {
        SkipWithoutCairo();
        var error = Assert.Throws<CairoException>(() => CairoSurface.Image(100_000, 10));
        Assert.StartsWith("cairo_image_surface_create(100000 x 10): status ", error.Message, StringComparison.Ordinal);
    }

    private static byte[] Draw(IReadOnlyList<TrialResult> trials) =>
        FrontierChart.ToPng(FrontierAnalysis.Of(trials, Options.Baseline, Options.Seed, resamples: 50), Options);

    private static void SkipWithoutCairo()
    {
        try
        {
            CairoSurface.Image(1, 1).Dispose();
        }
        catch (DllNotFoundException)
        {
            Assert.Skip($"needs {CairoNative.Library} (package {CairoNative.Package})");
        }
    }
}
