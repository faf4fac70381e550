using System.Reflection;
using KvPareto.Testing;

namespace KvPareto.Cli.Tests;

public class FolderTests
{
    [Theory]
    [InlineData("KvPareto.Text", "KvPareto.Text", 6)]
    [InlineData("KvPareto.Engine", "KvPareto.Engine", 45)]
    [InlineData("KvPareto.Cpu", "KvPareto.Cpu", 6)]
    [InlineData("KvPareto.Cuda", "KvPareto.Cuda", 1)]
    [InlineData("KvPareto.Torch", "KvPareto.Torch", 1)]
    [InlineData("KvPareto.Tasks", "KvPareto.Tasks", 39)]
    [InlineData("KvPareto.Sweep", "KvPareto.Sweep", 70)]
    [InlineData("kvpareto", "KvPareto.Cli", 16)]
    public void NoFolderRefersInACircle(string assembly, string root, int pairs)
    {
        var references = NamespaceReferences.Of(Assembly.Load(assembly), root);
        Assert.True(2 * references.Count > pairs, $"{references.Count} pairs: the test no longer sees what it should");
        Assert.Empty(references.Cycles());
    }
}
