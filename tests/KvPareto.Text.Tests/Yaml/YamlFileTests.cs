using System.Diagnostics;
using KvPareto.Testing;
using KvPareto.Text.Input;
using KvPareto.Text.Yaml;

namespace KvPareto.Text.Tests.Yaml;

public class YamlFileTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void AByteOrderMarkIsLeftOut()
    {
        using var folder = new ScratchFolder();
        Assert.Equal("a: 1", YamlFile.ReadText(folder.Write("f.yaml", "\uFEFFa: 1")));
    }

    /// <summary>Neither waited for nor read without end.</summary>
    [Theory]
    [InlineData("pipe")]
    [InlineData("/dev/zero")]
    public async Task APipeOrADeviceIsRefused(string name)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs mkfifo and /dev/zero");
        using var folder = new ScratchFolder();
        var path = Path.Combine(folder.Root, name);
        if (name == "pipe") Process.Start("mkfifo", path).WaitForExit();
        var problem = await Assert.ThrowsAsync<ConfigException>(() => Task.Run(() => YamlFile.ReadText(path)).WaitAsync(Patience));
        Assert.Equal($"{path}: is a pipe, a socket or a device; allowed: a regular file", problem.Message);
    }

    [Fact]
    public void TooMuchIsRefused()
    {
        using var folder = new ScratchFolder();
        var path = folder.Write("f.yaml", new string('#', (1 << 20) + 1));
        Assert.EndsWith("allowed: up to 1048576", Assert.Throws<ConfigException>(() => YamlFile.ReadText(path)).Message,
            StringComparison.Ordinal);
    }
}
