using System.Diagnostics;
using System.Text.Json;
using KvPareto.Sweep.Leases;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Leases;

public class LeaseBookTests
{
    private static readonly TimeSpan Never = TimeSpan.FromDays(1);

    // One that stands still, for whoever looks at it.
    private static readonly LeaseTimes Still = new(Never, Never);

    private static LeaseTimes Patience(int milliseconds) => new(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(milliseconds));

    private static LeaseTimes Beating => Patience(100_000);

    [Fact]
    public void TryTake_GivesANameToOneOnly_UntilItIsGivenBack()
    {
        using var temp = new ScratchFolder();
        using var a = new LeaseBook(temp["leases"], Beating);
        using var b = new LeaseBook(temp["leases"], Beating);
        using (var lease = a.TryTake("trial")!)
        {
            lease.Confirm();
            Assert.Null(b.TryTake("trial"));
            Assert.NotNull(b.TryTake("another"));
            Assert.Equal($"process {Environment.ProcessId} on {Environment.MachineName}", b.HolderOf("trial"));
        }
        Assert.NotNull(b.TryTake("trial"));
    }

    [Fact]
    public void Take_OfAHolderThatBeats_GivesUp()
    {
        using var temp = new ScratchFolder();
        using var a = new LeaseBook(temp["leases"], Beating);
        using var b = new LeaseBook(temp["leases"], Beating);
        using var lease = a.TryTake("journal");
        Assert.Null(b.Take("journal"));
        lease!.Confirm();
    }

    [Fact]
    public void Take_OfAHolderThatStandsStill_TakesItOver_AndTheHolderKnows()
    {
        using var temp = new ScratchFolder();
        using var a = new LeaseBook(temp["leases"], Still);
        using var b = new LeaseBook(temp["leases"], Patience(200));
        using var lost = a.TryTake("trial")!;
        var clock = Stopwatch.StartNew();
        using var taken = b.Take("trial")!;
        Assert.True(clock.ElapsedMilliseconds >= 200);
        taken.Confirm();
        Assert.Throws<LeaseLostException>(lost.Confirm);
        // Giving back what is another's by now must not take it away.
        lost.Dispose();
        taken.Confirm();
        Assert.Single(Directory.GetFiles(temp["leases"]));
    }

    /// <summary>A watcher that was itself stopped, as all of a machine that slept, must see the holder standing still while it
    /// looks.</summary>
    [Fact]
    public void TryTake_AfterALongPauseOfItsOwn_TakesNothing()
    {
        using var temp = new ScratchFolder();
        using var a = new LeaseBook(temp["leases"], Still);
        using var b = new LeaseBook(temp["leases"], Patience(200));
        using var lease = a.TryTake("trial")!;
        Assert.Null(b.TryTake("trial"));
        Thread.Sleep(600);
        Assert.Null(b.TryTake("trial"));
    }

    [Fact]
    public void TryTake_OfAProcessThatIsGone_NeedsNoWaiting()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("looks processes up in /proc");
        using var temp = new ScratchFolder();
        using var ended = Process.Start("true");
        ended.WaitForExit();
        var gone = LeaseHolder.Here() with { Process = ended.Id };
        temp.Write("leases/trial.7", JsonSerializer.Serialize(gone) + "\n");
        using var book = new LeaseBook(temp["leases"], Still);
        using var lease = book.TryTake("trial");
        Assert.NotNull(lease);
        Assert.Equal(["trial.8"], Directory.GetFiles(temp["leases"]).Select(Path.GetFileName));
        // A number that is used again is not the same process.
        temp.Write("leases/other.1", JsonSerializer.Serialize(LeaseHolder.Here() with { Started = "1" }) + "\n");
        Assert.NotNull(book.TryTake("other"));
        // One of another boot or machine may be alive.
        temp.Write("leases/third.1", JsonSerializer.Serialize(gone with { Scope = "elsewhere" }) + "\n");
        Assert.Null(book.TryTake("third"));
    }

    /// <summary>One that was killed while it took a lease over leaves two generations: the name must not be lost to everybody for
    /// that.</summary>
    [Fact]
    public void TryTake_OfALeaseWhoseTakingOverWasKilled_TakesIt()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("looks processes up in /proc");
        using var temp = new ScratchFolder();
        foreach (var generation in new[] { 1, 2, 3 })
            temp.Write($"leases/journal.{generation}", JsonSerializer.Serialize(LeaseHolder.Here() with { Started = "1" }) + "\n");
        using var book = new LeaseBook(temp["leases"], Still);
        using var lease = book.TryTake("journal");
        Assert.NotNull(lease);
        lease.Confirm();
        Assert.Equal(["journal.4"], Directory.GetFiles(temp["leases"]).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\0\0\0\0")]
    [InlineData("{\"Token\":1}")]
    public void Take_OfADamagedLease_WaitsAndGoesOn(string content)
    {
        using var temp = new ScratchFolder();
        temp.Write("leases/trial.3", content);
        using var book = new LeaseBook(temp["leases"], Patience(100));
        Assert.NotNull(book.Take("trial"));
    }

    [Fact]
    public void TryTake_ByManyAtOnce_IsGivenToOne()
    {
        using var temp = new ScratchFolder();
        var books = Enumerable.Range(0, 8).Select(_ => new LeaseBook(temp["leases"], Beating)).ToArray();
        for (var round = 0; round < 50; round++)
        {
            // Every second round from a dead holder, so that the taking over is what they race for.
            var name = $"trial-{round}";
            if (round % 2 == 1) temp.Write($"leases/{name}.1", JsonSerializer.Serialize(LeaseHolder.Here() with { Started = "1" }) + "\n");
            var taken = new Lease?[books.Length];
            Parallel.For(0, books.Length, i => taken[i] = books[i].TryTake(name));
            Assert.InRange(taken.Count(lease => lease is not null), 0, 1);
            foreach (var lease in taken.OfType<Lease>()) lease.Confirm();
            Assert.True(Array.Exists(taken, lease => lease is not null) || books[0].TryTake(name) is not null);
        }
        foreach (var book in books) book.Dispose();
        Assert.Empty(Directory.GetFiles(temp["leases"]));
    }

    [Fact]
    public void TryTake_RefusesALinkByItsName()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("needs symbolic links");
        using var temp = new ScratchFolder();
        using var book = new LeaseBook(temp["leases"], Beating);
        File.CreateSymbolicLink(temp["leases/trial.1"], temp.Write("victim", "precious"));
        Assert.Contains(
            "leases/trial.1: is a symbolic link", Assert.Throws<ConfigException>(() => book.TryTake("trial"))
                .Message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(temp["victim"]));
    }

    [Fact]
    public void Confirm_WhenTheFolderIsGone_NamesIt()
    {
        using var temp = new ScratchFolder();
        using var book = new LeaseBook(temp["run/leases"], Beating);
        using var lease = book.TryTake("trial")!;
        Directory.Delete(temp["run"], recursive: true);
        Assert.StartsWith(
            $"{temp["run"]}: was removed or renamed", Assert.Throws<ConfigException>(lease.Confirm).Message, StringComparison.Ordinal);
    }
}
