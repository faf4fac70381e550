using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Tests;

public class HaystackTests
{
    [Fact]
    public void Read_JoinsTextFilesInOrdinalOrder()
    {
        using var folder = new ScratchFolder();
        folder.Write("b.txt", "two ");
        folder.Write("a10.txt", "one ");
        folder.Write("a9.txt", "and ");
        folder.Write("Z.txt", "zero ");
        folder.Write("c.md", "not this");
        Assert.Equal("zero one and two ", Haystack.Read(folder.Root));
        Assert.Equal("zero on", Haystack.Read(folder.Root, 7));
        Assert.Equal("two ", Haystack.Read(Path.Combine(folder.Root, "b.txt")));
    }

    [Fact]
    public void Read_NeverEndsWithinACharacter()
    {
        using var folder = new ScratchFolder();
        folder.Write("a.txt", "ab😀");
        Assert.Equal("ab", Haystack.Read(folder.Root, 3));
        Assert.Equal("ab😀", Haystack.Read(folder.Root, 4));
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
        using var folder = new ScratchFolder();
        Refuses(folder.Root, "no .txt file");
        Refuses(Path.Combine(folder.Root, "missing"), "neither a folder nor a text file");
        folder.Write("empty.txt", "");
        Refuses(folder.Root, "holds no text");
        folder.Write("binary.txt", [0x41, 0xFF, 0xFE]);
        Refuses(folder.Root, "binary.txt: not valid UTF-8");
        folder.Write("binary.txt", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n");
        Refuses(folder.Root, "binary.txt: is a Git LFS pointer");

        static void Refuses(string path, string expected) =>
            Assert.Contains(expected, Assert.Throws<ConfigException>(() => Haystack.Read(path)).Message, StringComparison.Ordinal);
    }
}
