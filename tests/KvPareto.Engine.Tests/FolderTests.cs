using KvPareto.Engine.Seam;
using KvPareto.Testing;

namespace KvPareto.Engine.Tests;

public class FolderTests
{
    private const string Root = "KvPareto.Engine";

    [Fact]
    public void NoFolderRefersInACircle()
    {
        var references = NamespaceReferences.Of(typeof(Backend).Assembly, FolderOf);
        Assert.True(references.Count > 15, $"{references.Count} pairs: the test no longer sees what it should");
        Assert.Empty(references.Cycles());
    }

    // KvPareto.Engine.Checkpoints.Gguf belongs to Checkpoints.
    private static string FolderOf(string name) => name.Length > Root.Length ? name[(Root.Length + 1)..].Split('.')[0] : "";
}
