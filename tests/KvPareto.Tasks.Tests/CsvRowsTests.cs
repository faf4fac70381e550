using System.IO.Compression;
using System.Text;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Tests;

public class CsvRowsTests
{
    [Theory]
    [InlineData("t.csv", "q,a\r\n\"Who, and \"\"why\"\"?\",Ann\r\n\r\n\"two\nlines\", \r\n")]
    [InlineData("t.csv", "\uFEFFq;a\n\"Who, and \"\"why\"\"?\";Ann\n\n\"two\nlines\"; ")]
    [InlineData("t.tsv", "\"q\"\t\"a\"\n\"Who, and \"\"why\"\"?\"\tAnn\n\n\"two\nlines\"\t ")]
    public void Rows_AreTextsByTheHeadersNames(string name, string table)
    {
        using var folder = new ScratchFolder();
        var rows = Rows(folder.Write(name, table));
        Assert.Equal([(2, "Who, and \"why\"?", "Ann"), (4, "two\nlines", " ")], rows);
    }

    [Fact]
    public void CompressedTables_AreReadToo()
    {
        using var folder = new ScratchFolder();
        using (var gzip = new GZipStream(File.Create(folder["t.csv.gz"]), CompressionLevel.Fastest)) gzip.Write("q,a\n1,2\n"u8);
        Assert.Equal([(2, "1", "2")], Rows(folder["t.csv.gz"]));
    }

    [Theory]
    [InlineData("q,a\n1,2\n1,2,3\n", ":3: has 3 fields; allowed: 2, as the header has")]
    [InlineData("q,a\n\"1\n\",2\n1\n", ":4: has 1 field; allowed: 2, as the header has")]
    [InlineData("q,q\n1,2\n", ":1: the header has 'q' twice")]
    [InlineData("\nq,\n1,2\n", ":2: a field of the header has no name")]
    [InlineData("q,a\n1,\"2\" 3\n", ":2: a quotation mark stands within a field; allowed: fields quoted whole, and marks in them doubled")]
    [InlineData("q,a\n1,x\"2\"\n", ":2: a quotation mark stands within a field; allowed: fields quoted whole, and marks in them doubled")]
    public void DamagedTables_AreNamedByLine(string table, string problem)
    {
        using var folder = new ScratchFolder();
        var path = folder.Write("t.csv", table);
        Assert.Equal(path + problem, Assert.Throws<ConfigException>(() => Rows(path)).Message);
    }

    [Fact]
    public void OtherBytesThanText_AreRefused()
    {
        using var folder = new ScratchFolder();
        File.WriteAllBytes(folder["t.csv"], [.. "q,a\n1,"u8, 0xE4, (byte)'\n']);
        Assert.Equal(
            $"{folder["t.csv"]}:1: is not UTF-8, or a row soon after it",
            Assert.Throws<ConfigException>(() => Rows(folder["t.csv"])).Message);
        File.WriteAllBytes(folder["t.csv.gz"], Encoding.UTF8.GetBytes("q,a\n1,2\n"));
        RefusesGzip(folder["t.csv.gz"]);
    }

    /// <summary>A download that broke off: what there is of it ends with a row.</summary>
    [Fact]
    public void ACompressedFileThatIsCut_IsNoShorterTable()
    {
        using var folder = new ScratchFolder();
        using var bytes = new MemoryStream();
        using var gzip = new GZipStream(bytes, CompressionLevel.Fastest);
        gzip.Write("q,a\n1,2\n"u8);
        gzip.Flush();
        folder.Write("t.csv.gz", bytes.ToArray());
        RefusesGzip(folder["t.csv.gz"]);
    }

    [Fact]
    public void AnEmptyTable_HasNoRows()
    {
        using var folder = new ScratchFolder();
        Assert.Empty(Rows(folder.Write("t.csv", "")));
        Assert.Empty(Rows(folder.Write("t.csv", "q,a\n")));
    }

    private static void RefusesGzip(string path) => Assert.Equal(
        $"{path}: cannot be read: no whole gzip file", Assert.Throws<ConfigException>(() => Rows(path)).Message);

    private static (int Line, string Question, string Answer)[] Rows(string path) =>
        [.. CsvRows.Read(path).Select(row => (row.Line, row.Text("q"), row.Text("a")))];
}
