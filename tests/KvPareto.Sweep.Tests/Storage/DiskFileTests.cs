using System.Diagnostics;
using KvPareto.Sweep.Storage;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Storage;

public class DiskFileTests
{
    /// <summary>The null device cannot be flushed; .NET's own calls say nothing of it, nor of a full disk.</summary>
    [Fact]
    public void Flush_DoesNotLoseAnError()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("/dev/null is Linux's");
        using var device = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.Write);
        RandomAccess.FlushToDisk(device);
        var error = Assert.Throws<IOException>(() => DiskFile.Flush(device, "run/journal.jsonl"));
        Assert.StartsWith("run/journal.jsonl: is not on the disk: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_DoesNotLoseAnError()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("/dev/full is Linux's");
        using var device = File.OpenHandle("/dev/full", FileMode.Open, FileAccess.Write);
        var error = Assert.Throws<IOException>(() => DiskFile.Write(device, "run/journal.jsonl", "line\n"u8));
        Assert.StartsWith("run/journal.jsonl: cannot be written: ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pipe")]
    [InlineData("link")]
    [InlineData("folder")]
    [InlineData("device")]
    public void EveryWay_RefusesWhatIsNoRegularFile_ByItsName_WithoutWaiting(string kind)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("needs pipes and links");
        using var temp = new ScratchFolder();
        var path = kind == "device" ? "/dev/zero" : temp["thing"];
        temp.Write("victim", "precious");
        if (kind == "pipe") Process.Start("mkfifo", path).WaitForExit();
        if (kind == "link") File.CreateSymbolicLink(path, temp["victim"]);
        if (kind == "folder") Directory.CreateDirectory(path);
        foreach (var way in new Action[]
        {
            () => DiskFile.TryOpenRead(path),
            () => Assert.Empty(LineReader.Read(path)),
            () => { if (kind != "device") LineWriter.TakeOver(path); else DiskFile.TryOpenRead(path); },
            () => { if (kind != "device") AtomicFile.Write(path, "new"u8); else DiskFile.TryOpenRead(path); },
        })
        {
            var error = Assert.Throws<ConfigException>(way);
            Assert.StartsWith($"{path}: is a ", error.Message, StringComparison.Ordinal);
        }
        Assert.Equal("precious", File.ReadAllText(temp["victim"]));
        Assert.Empty(Directory.GetFiles(temp.Root, "*.tmp"));
    }

    [Fact]
    public void TryLink_GivesANameOnce()
    {
        using var temp = new ScratchFolder();
        var (a, b) = (temp.Write("a", "a"), temp.Write("b", "b"));
        if (DiskFile.TryLink(a, temp["name"]) is not { } first) return;
        Assert.True(first);
        Assert.False(DiskFile.TryLink(b, temp["name"]));
        Assert.Equal("a", File.ReadAllText(temp["name"]));
    }
}
