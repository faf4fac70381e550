using System.Buffers.Binary;
using System.Text;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Results;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Reports;

public sealed class ReportWriterTests : IDisposable
{
    private static readonly ReportOptions Options = new() { Seed = 3, Figures = ["frontier"] };

    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_GivesTheSameBytesWhateverTheOrderOfTheTrials()
    {
        TrialResult[] trials = [.. SomeTrial.Sweep("llama"), .. SomeTrial.Sweep("qwen")];
        var first = ReportWriter.Write(_folder["a"], trials, Options);
        var second = ReportWriter.Write(_folder["b"], [.. trials.Reverse()], Options);
        Assert.Equal(["results.csv", "frontier.csv", "report.html", "frontier.png"], first.Files.Select(Path.GetFileName));
        Assert.Equal(4, Directory.GetFileSystemEntries(_folder["a"]).Length);
        foreach (var (a, b) in first.Files.Zip(second.Files)) Assert.Equal(File.ReadAllBytes(a), File.ReadAllBytes(b));
        Assert.Empty(first.Messages);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    [InlineData(4, 2)]
    [InlineData(7, 3)]
    public void Write_DrawsAPanelForEachModel(int models, int columns)
    {
        var png = Draw([.. Enumerable.Range(0, models).SelectMany(model => SomeTrial.Sweep($"model {model}"))]);
        Assert.Equal([0x89, .. "PNG\r\n\u001a\n"u8], png[..8]);
        Assert.InRange(BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)), 3 * 356 * columns, 3 * 440 * columns);
        var rows = (models + columns - 1) / columns;
        Assert.InRange(BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20)), 3 * 210 * rows, 3 * (310 * rows + 160));
    }

    [Fact]
    public void Write_DrawsWhatTheTrialsSay()
    {
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
        var names = new string('m', 3000) + "\u0000\uD800\n";
        Assert.NotEmpty(Draw(
        [
            SomeTrial.Ok(names, "w16a16-k16v16", high, (names, [score])),
            SomeTrial.Ok(names, names, low, (names, [score])),
        ]));
    }

    [Fact]
    public void Write_DrawsEveryFormatAndTakesAwayPicturesOfAnEarlierReport()
    {
        PictureFormat[] all = [PictureFormat.Png, PictureFormat.Svg, PictureFormat.Pdf];
        var files = ReportWriter.Write(_folder.Root, SomeTrial.Sweep("m"), Options with { Formats = all }).Files;
        Assert.Equal(
            ["results.csv", "frontier.csv", "report.html", "frontier.png", "frontier.svg", "frontier.pdf"], files.Select(Path.GetFileName));
        var svg = File.ReadAllText(files[4]);
        Assert.StartsWith("<?xml", svg, StringComparison.Ordinal);
        // Its text must not depend on the fonts of who looks at it.
        Assert.DoesNotContain("<text", svg, StringComparison.Ordinal);
        var pdf = Encoding.Latin1.GetString(File.ReadAllBytes(files[5]));
        Assert.StartsWith("%PDF-", pdf, StringComparison.Ordinal);
        Assert.Contains("+Inter-Regular", pdf, StringComparison.Ordinal);
        Assert.Contains("+Inter-Bold", pdf, StringComparison.Ordinal);

        var again = _folder["again"];
        foreach (var (a, b) in files.Zip(ReportWriter.Write(again, SomeTrial.Sweep("m"), Options with { Formats = all }).Files))
            Assert.Equal(File.ReadAllBytes(a), File.ReadAllBytes(b));
        ReportWriter.Write(_folder.Root, SomeTrial.Sweep("m"), Options);
        Assert.Equal(
            ["frontier.csv", "frontier.png", "report.html", "results.csv"], Directory.GetFiles(_folder.Root).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData("png", PictureFormat.Png)]
    [InlineData("pdf, PNG,pdf", PictureFormat.Pdf, PictureFormat.Png)]
    public void Parse_ReadsFormats(string names, params PictureFormat[] formats) => Assert.Equal(formats, PictureFormats.Parse(names));

    [Theory]
    [InlineData("gif")]
    [InlineData("")]
    [InlineData("png,")]
    public void Parse_NamesTheFormatsAllowed(string names)
    {
        var error = Assert.Throws<ConfigException>(() => PictureFormats.Parse(names));
        Assert.EndsWith("allowed: png, svg, pdf, separated by commas", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_SaysWhyThereIsNoPictureWhereNothingWasScored()
    {
        var summary = ReportWriter.Write(_folder.Root, [SomeTrial.Failed("m", "w16a16-k16v16", "out of memory")], Options);
        Assert.Equal(["m: no trial has a result", "frontier was not drawn: no trial has a score"], summary.Messages);
        Assert.Equal(("m", "w16a16-k16v16", "out of memory"),
            Assert.Single(summary.Rows.Select(row => (row.Model, row.Setting, row.Failure))));
    }

    [Fact]
    public void Write_OfNoTrialsGivesHeadingsOnly()
    {
        ReportWriter.Write(_folder.Root, [], Options);
        Assert.All(["results.csv", "frontier.csv"], name => Assert.Single(File.ReadAllLines(Path.Combine(_folder.Root, name))));
    }

    [Fact]
    public void Write_SumsUpForTheTerminal()
    {
        var summary = ReportWriter.Write(_folder.Root, SomeTrial.Sweep("m"), Options);
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
        var file = _folder["file"];
        File.WriteAllText(file, "");
        var error = Assert.Throws<ConfigException>(() => ReportWriter.Write(file, SomeTrial.Sweep("m"), Options));
        Assert.StartsWith(file, error.Message, StringComparison.Ordinal);
    }

    private static byte[] Draw(IReadOnlyList<TrialResult> trials) => FigureWriter.Draw(
        new FrontierFigure(FrontierAnalysis.Of(trials, Options.Baseline, Options.Seed, resamples: 50), Options), PictureFormat.Png);
}
