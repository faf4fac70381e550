using System.Diagnostics;
using System.IO.Pipes;
using KvPareto.Testing;
using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Text.Tests.Input;

public class ForeignFileTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Opening a pipe waits until somebody writes to it: it is never opened.</summary>
    [Theory]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    public async Task APipeIsRefusedAndNotWaitedFor(string name)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs mkfifo");
        using var folder = new ScratchFolder();
        folder.Write("tokenizer.json", ByteTokenizerFile.Json());
        var path = folder[name];
        File.Delete(path);
        Process.Start("mkfifo", path).WaitForExit();
        var problem = await Assert.ThrowsAsync<ConfigException>(() => Task.Run(() => Tokenizer.Load(folder.Root)).WaitAsync(Patience));
        Assert.Equal($"{path}: is a pipe, a socket or a device; allowed: a regular file", problem.Message);
    }

    [Fact]
    public void ADeviceIsRefused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs /dev/zero");
        Assert.Contains(
            "allowed: a regular file", Assert.Throws<ConfigException>(() => ForeignFile.Open("/dev/zero"))
                .Message, StringComparison.Ordinal);
    }

    /// <summary>As a shell's <c>&lt;(…)</c> gives it: the other end is open already.</summary>
    [Fact]
    public void APipeThatIsOpenAlreadyIsReadUpToTheLimit()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs /dev/fd");
        using (var pipe = new AnonymousPipeServerStream(PipeDirection.Out))
        {
            pipe.Write("text"u8);
            var path = $"/dev/fd/{pipe.ClientSafePipeHandle.DangerousGetHandle()}";
            Assert.Equal(
                $"{path}: is longer than 3 bytes; allowed: up to 3",
                Assert.Throws<ConfigException>(() => ForeignFile.ReadAll(path, 3)).Message);
        }
        using (var pipe = new AnonymousPipeServerStream(PipeDirection.Out))
        {
            pipe.Write("text"u8);
            var path = $"/dev/fd/{pipe.ClientSafePipeHandle.DangerousGetHandle()}";
            using var reading = ForeignFile.OpenOnce(path);
            Assert.Equal('t', reading.ReadByte());
            Assert.Contains(
                "allowed: a regular file", Assert.Throws<ConfigException>(() => ForeignFile.Open(path)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ALinkToAFileIsFollowed()
    {
        using var folder = new ScratchFolder();
        var link = folder["link"];
        File.CreateSymbolicLink(link, folder.Write("file", "text"));
        Assert.Equal("text"u8.ToArray(), ForeignFile.ReadAll(link, 4));
        Assert.Equal($"{link}: is 4 bytes; allowed: up to 3", Assert.Throws<ConfigException>(() => ForeignFile.ReadAll(link, 3)).Message);
    }
}
