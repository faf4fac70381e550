using KvPareto.Testing;

namespace KvPareto.Cpu.Tests;

public class FolderTests
{
    private const string Root = "KvPareto.Cpu";

    [Fact]
    public void NoFolderRefersInACircle()
    {
        var references = NamespaceReferences.Of(typeof(CpuBackend).Assembly, FolderOf);
        Assert.InRange(references.Count, 5, 12);
        Assert.Empty(references.Cycles());
    }

    // KvPareto.Cpu.Storage.Schemes belongs to Storage.
    private static string FolderOf(string name) => name.Length > Root.Length ? name[(Root.Length + 1)..].Split('.')[0] : "";
}
