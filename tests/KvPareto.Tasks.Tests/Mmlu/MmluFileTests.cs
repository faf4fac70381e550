using System.Text;
using KvPareto.Tasks.Mmlu;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Tests.Mmlu;

public class MmluFileTests
{
    private const string Header = "question,choice0,choice1,choice2,choice3,answer\n";

    [Theory]
    [InlineData("Who?,a,b,c,d,C\n\"Two\nlines, \"\"said\"\" he\",\" e\",,\"g\r\nh\",i,A", "")]
    [InlineData("Who?,a,b,c,d,2\r\n\"Two\nlines, \"\"said\"\" he\",\" e\",,\"g\r\nh\",i,0\r\n", Header)]
    [InlineData("Who?,a,b,c,d,2\n\n\"Two\nlines, \"\"said\"\" he\",\" e\",,\"g\r\nh\",i,0", "\uFEFF" + Header)]
    public void BothForms_GiveTheSameRows(string text, string header)
    {
        using var folder = new ScratchFolder();
        var rows = MmluFile.Read(folder.Write("x.csv", header + text), null);
        Assert.Equal(2, rows.Count);
        Assert.Equal(("Who?", 'C'), (rows[0].Question, rows[0].Letter));
        Assert.Equal(["a", "b", "c", "d"], rows[0].Choices);
        Assert.Equal(("Two\nlines, \"said\" he", 'A'), (rows[1].Question, rows[1].Letter));
        Assert.Equal([" e", "", "g\r\nh", "i"], rows[1].Choices);
    }

    [Fact]
    public void Limit_ReadsNoFurther()
    {
        using var folder = new ScratchFolder();
        Assert.Single(MmluFile.Read(folder.Write("x.csv", Header + "Who?,a,b,c,d,3\ndamaged"), 1));
    }

    [Theory]
    [InlineData("Who?,a,b,c,d", 3, "has 5 fields; allowed: 6")]
    [InlineData("Who?,a,b,c,d,e,0", 3, "has 7 fields; allowed: 6")]
    [InlineData("\"a\nb\",a,b,c,d,1\n\"\n\",a,b,c", 5, "has 4 fields")]
    [InlineData("Who?,a,b,c,d,4", 3, "the answer is none of the choices; allowed: 0, 1, 2, 3")]
    [InlineData("Who?,a,b,c,d,A", 3, "allowed: 0, 1, 2, 3")]
    [InlineData("Who?,a,b,c,d,", 3, "allowed: 0, 1, 2, 3")]
    [InlineData("Who?,a,b,c,d, 1", 3, "allowed: 0, 1, 2, 3")]
    [InlineData("Who?,\"never,ends,c,d,1\nNext?,a,b,c,d,1", 3, "has 2 fields")]
    [InlineData("Who?,a \"b\",b,c,d,1", 3, "a quotation mark stands within a field")]
    [InlineData("Who?,\"a\" b,b,c,d,1", 3, "a quotation mark stands within a field")]
    public void DamagedRow_IsNamedByFileAndLine(string row, int line, string expected)
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("x.csv", $"{Header}First?,a,b,c,d,0\n{row}");
        Refuses(file, $"{file}:{line}: ", expected);
    }

    [Fact]
    public void FirstForm_HasLettersOnly()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("x.csv", "Who?,a,b,c,d,A\nWho?,a,b,c,d,0");
        Refuses(file, $"{file}:2: ", "the answer is none of the choices; allowed: A, B, C, D");
        var header = folder.Write("y.csv", "question,choice0,choice1,choice2,choice3,target\nWho?,a,b,c,d,0");
        Refuses(header, $"{header}:1: ", "allowed: A, B, C, D");
    }

    [Fact]
    public void HostileFile_IsRefused()
    {
        using var folder = new ScratchFolder();
        Refuses(folder.Write("empty.csv", ""), folder.Root, "has no rows");
        Refuses(folder.Write("header.csv", Header), folder.Root, "has no rows");
        Refuses(folder.Write("bytes.csv", [.. Encoding.UTF8.GetBytes(Header), 0xC3, 0x28]), folder.Root, "not UTF-8 at byte 48");
        Refuses(folder.Write("large.csv", new byte[MmluFile.MaxBytes + 1]), folder.Root, "allowed: up to 8388608");
        Refuses(folder.Write("commas.csv", new string(',', 1 << 20)), folder.Root, ":1: has 1,048,577 fields");
        Refuses(folder.Write("quotes.csv", new string('"', 1 << 20)), folder.Root, ":1: ");
        Refuses(Path.Combine(folder.Root, "none.csv"), folder.Root, "no such file");
    }

    [Fact]
    public void RealData_IsRead()
    {
        var (rows, quoted) = (0, 0);
        foreach (var file in Directory.GetFiles(TestData.SharedOrSkip("data", "mmlu"), "*.csv", SearchOption.AllDirectories))
        {
            var read = MmluFile.Read(file, null);
            rows += read.Count;
            quoted += read.Count(row => row.Question.Contains('\n', StringComparison.Ordinal));
        }
        Assert.Equal(14_042 + 285, rows);
        Assert.True(quoted > 100, $"{quoted} questions of several lines");
    }

    private static void Refuses(string file, string start, string expected)
    {
        var error = Assert.Throws<ConfigException>(() => MmluFile.Read(file, null));
        Assert.StartsWith(start, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
