using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Tests;

public class HaystackTests
{
    [Fact]
    public void Read_JoinsTextFilesInOrdinalOrder()
    {
        using var folder = new TemporaryFolder();
        folder.Write("b.txt", "two ");
        folder.Write("a10.txt", "one ");
        folder.Write("a9.txt", "and ");
        folder.Write("Z.txt", "zero ");
        folder.Write("c.md", "not this");
        Assert.Equal("zero one and two ", Haystack.Read(folder.Path));
        Assert.Equal("zero on", Haystack.Read(folder.Path, 7));
        Assert.Equal("two ", Haystack.Read(Path.Combine(folder.Path, "b.txt")));
    }

    [Fact]
    public void Read_NeverEndsWithinACharacter()
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.txt", "ab😀");
        Assert.Equal("ab", Haystack.Read(folder.Path, 3));
        Assert.Equal("ab😀", Haystack.Read(folder.Path, 4));
    }

    [Fact]
    public void Read_HasAllEssays()
    {
        var essays = Haystack.Read(TestData.SharedOrSkip("data", "niah", "PaulGrahamEssays"));
        Assert.Equal(643_830, essays.EnumerateRunes().Count());
    }

    [Fact]
    public void Read_RefusesWhatIsNoText()
    {
        using var folder = new TemporaryFolder();
        Refuses(folder.Path, "no .txt file");
        Refuses(Path.Combine(folder.Path, "missing"), "neither a folder nor a text file");
        folder.Write("empty.txt", "");
        Refuses(folder.Path, "holds no text");
        folder.Write("binary.txt", [0x41, 0xFF, 0xFE]);
        Refuses(folder.Path, "binary.txt: not valid UTF-8");

        static void Refuses(string path, string expected) =>
            Assert.Contains(expected, Assert.Throws<ConfigException>(() => Haystack.Read(path)).Message, StringComparison.Ordinal);
    }
}
