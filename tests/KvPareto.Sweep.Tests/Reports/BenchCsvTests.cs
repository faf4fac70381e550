using System.Text;
using KvPareto.Sweep.Latency;
using KvPareto.Sweep.Reports;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Reports;

public sealed class BenchCsvTests : IDisposable
{
    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void File_ReadsBack()
    {
        BenchRow[] rows = [Row(0, 512, new(12.5, 0.25, 3), new(1.5, null, null)), Row(4096, 0, null, new(2, 0.5, 1))];
        Assert.Equal(rows, BenchCsv.Read(_folder.Write("b.csv", BenchCsv.Write(rows))));
    }

    /// <summary>A spreadsheet puts one before what it saves.</summary>
    [Fact]
    public void ByteOrderMark_IsPassedOver()
    {
        BenchRow[] rows = [Row(0, 512, null, new(2, 0.5, 1))];
        var text = "\uFEFF" + Encoding.UTF8.GetString(BenchCsv.Write(rows));
        Assert.Equal(rows, BenchCsv.Read(_folder.Write("b.csv", text)));
    }

    /// <summary>A table of a version that knew one sequence only has no column for more.</summary>
    [Fact]
    public void Sequences_ReadBack_OneWhereNotSaid()
    {
        var text = Encoding.UTF8.GetString(BenchCsv.Write([Row(0, 512, null, new(2, 0.5, 1)) with { Sequences = 8 }]));
        Assert.Contains("4000.000", text, StringComparison.Ordinal); // tokens a second
        Assert.Equal(8, Assert.Single(BenchCsv.Read(_folder.Write("b.csv", text))).Sequences);
        var earlier = text.Replace(",sequences,", ",", StringComparison.Ordinal).Replace(",8,8,5,", ",8,5,", StringComparison.Ordinal);
        Assert.Equal(1, Assert.Single(BenchCsv.Read(_folder.Write("b.csv", earlier))).Sequences);
    }

    /// <summary>Only the apostrophe that was written is taken off again.</summary>
    [Theory]
    [InlineData("=cmd")]
    [InlineData(" @cmd")]
    [InlineData("'quoted'")]
    [InlineData("''")]
    public void NamesThatASpreadsheetWouldTakeForFormulas_ReadBack(string name)
    {
        BenchRow[] rows = [Row(0, 512, null, new(2, 0.5, 1)) with { Model = name }];
        Assert.Equal(name, Assert.Single(BenchCsv.Read(_folder.Write("b.csv", BenchCsv.Write(rows)))).Model);
    }

    [Theory]
    [InlineData("a,b\n1,2\n", ": is no table of kvpareto bench")]
    [InlineData("", ": is no table of kvpareto bench")]
    public void OtherFile_IsRefused(string text, string message)
    {
        var file = _folder.Write("b.csv", text);
        Assert.StartsWith(file + message, Assert.Throws<ConfigException>(() => BenchCsv.Read(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WrongCell_IsNamedWithItsLine()
    {
        var text = Encoding.UTF8.GetString(BenchCsv.Write([Row(0, 512, new(12.5, 0.25, 3), null)]))
            .Replace("12.500", "soon", StringComparison.Ordinal);
        var file = _folder.Write("b.csv", text);
        var error = Assert.Throws<ConfigException>(() => BenchCsv.Read(file));
        Assert.Equal($"{file}:2: ttft_ms 'soon'; allowed: a number", error.Message);
    }

    [Fact]
    public void RowOfNoSequencesOrRepeats_IsRefused()
    {
        var row = Row(0, 512, null, new(2, 0.5, 1));
        foreach (var (none, name) in new[] { (row with { Sequences = 0 }, "sequences"), (row with { Repeats = 0 }, "repeats") })
        {
            var file = _folder.Write("b.csv", BenchCsv.Write([none]));
            var error = Assert.Throws<ConfigException>(() => BenchCsv.Read(file));
            Assert.Equal($"{file}:2: {name} '0'; allowed: a number above 0", error.Message);
        }
    }

    [Fact]
    public void Figure_IsDrawnBesideTheTable()
    {
        var file = _folder.Write("b.csv", BenchCsv.Write(
            [Row(0, 512, new(12.5, 0.25, 3), new(1.5, 0.1, null)), Row(0, 2048, new(60, 2, 3), new(2, 0.1, null)),
                Row(2048, 512, new(20, 1, 3), new(2, 0.1, null))]));
        var files = ReportWriter.WriteLatency(file, [Sweep.Reports.Pictures.PictureFormat.Png]);
        Assert.Equal([_folder["latency.csv"], _folder["latency.png"]], files);
        // The prompt after 2,048 tokens is no whole context: it says nothing of the time to the first token there.
        Assert.Equal(
            """
            model,setting,baseline,context,samples,ttft_ms,ttft_sd_ms,tpot_ms,tpot_sd_ms
            m,w16a16-k16v16,false,512,5,12.500,0.250,1.500,0.100
            m,w16a16-k16v16,false,2048,5,60.000,2.000,2.000,0.100
            m,w16a16-k16v16,false,2560,5,,,2.000,0.100

            """,
            File.ReadAllText(files[0]));
    }

    [Fact]
    public void OneLength_IsNotDrawn()
    {
        var file = _folder.Write("b.csv", BenchCsv.Write([Row(0, 512, new(12.5, 0.25, 3), null)]));
        var error = Assert.Throws<ConfigException>(() => ReportWriter.WriteLatency(file, []));
        Assert.Equal($"{file}: all prompts are about as long as each other; allowed: rows of several lengths", error.Message);
        File.Move(file, _folder["latency.csv"]);
        var own = Assert.Throws<ConfigException>(() => ReportWriter.WriteLatency(
            _folder.Write("latency.csv", BenchCsv.Write([Row(0, 512, null, new(1, 1, 1)), Row(0, 1024, null, new(1, 1, 1))])), []));
        Assert.Contains("would take its place", own.Message, StringComparison.Ordinal);
    }

    private static BenchRow Row(int depth, int prompt, RunTime? first, RunTime? later) => new()
    {
        Model = "m",
        Device = "d, 2 threads",
        Setting = "w16a16-k16v16",
        Depth = depth,
        Prompt = prompt,
        NewTokens = 8,
        Repeats = 5,
        FirstToken = first,
        LaterToken = later,
        PeakBytes = 10_000_000_000,
        LoadBytes = 5,
    };
}
