using System.Text;
using System.Text.Json;
using KvPareto.Sweep.Fidelity;
using KvPareto.Sweep.Journaling;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Fidelity;

public class FidelityRowsTests
{
    [Fact]
    public void Read_GivesTheLastRowOfEachSetting()
    {
        using var temp = new ScratchFolder();
        var (first, second) = (SomeRows.Row("w16a16-k8v8-t64", 8.5, 1e-4), SomeRows.Row("w16a16-k4v4-t64", 4.5, 0.1));
        var again = SomeRows.Row("w16a16-k8v8-t64", 8.5, 2e-4);
        Assert.Equal([again, second], FidelityRows.Read(temp.Write("rows.jsonl", Lines(first, second, again))));
    }

    [Fact]
    public void ToJson_HasTheDocumentedNames()
    {
        using var document = JsonDocument.Parse(FidelityRows.ToJson([SomeRows.Row("w16a16-k8v8-t64", 8.5, 1e-4)]));
        var row = document.RootElement.GetProperty("settings")[0];
        Assert.Equal(
            [
                "model", "text", "tokens", "window", "setting", "bitsPerElement", "bytesPerToken", "weightBytes",
                "ppl", "referencePpl", "klMean", "klP50", "klP99", "klMax", "top1", "pplSecondHalf", "klSecondHalf", "seconds",
            ],
            row.EnumerateObject().Select(property => property.Name));
    }

    [Theory]
    [InlineData("", "holds no rows")]
    [InlineData("nonsense\n", "rows.jsonl:1: no row")]
    [InlineData("{}\n", "rows.jsonl:1: no row")]
    [InlineData("null\n", "rows.jsonl:1: no row")]
    [InlineData("[[[[1]]]]\n", "rows.jsonl:1: no row")]
    public void Read_RefusesADamagedFile(string content, string expected)
    {
        using var temp = new ScratchFolder();
        var error = Assert.Throws<ConfigException>(() => FidelityRows.Read(temp.Write("rows.jsonl", content)));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("\"bitsPerElement\":8.5", "\"bitsPerElement\":0")]
    [InlineData("\"klMean\":0.0001", "\"klMean\":-1")]
    [InlineData("\"top1\":", "\"top1\":7e")]
    [InlineData("\"klMax\":", "\"klMax\":1e999,\"x\":")]
    [InlineData("\"seconds\":1.5", "\"seconds\":1e999")]
    [InlineData("\"bitsPerElement\":8.5", "\"bitsPerElement\":1e308")]
    [InlineData("\"ppl\":20.0001", "\"ppl\":1e300")]
    [InlineData("\"seconds\":1.5", "\"seconds\":1.5,\"extra\":1")]
    [InlineData("\"tokens\":512", "\"tokens\":-512")]
    [InlineData("\"setting\":\"", "\"setting\":null,\"x\":\"")]
    public void Read_RefusesValuesOutOfRange(string right, string wrong)
    {
        using var temp = new ScratchFolder();
        var text = Lines(SomeRows.Row("w16a16-k8v8-t64", 8.5, 1e-4));
        Assert.Contains(right, text, StringComparison.Ordinal);
        temp.Write("rows.jsonl", text.Replace(right, wrong, StringComparison.Ordinal));
        var error = Assert.Throws<ConfigException>(() => FidelityRows.Read(temp["rows.jsonl"]));
        Assert.Contains("rows.jsonl:1: no row", error.Message, StringComparison.Ordinal);
    }

    /// <summary>As earlier versions wrote them.</summary>
    private static string Lines(params FidelityRow[] rows) =>
        string.Concat(rows.Select(row => Encoding.UTF8.GetString(JournalJson.WriteLine(row)) + "\n"));
}
