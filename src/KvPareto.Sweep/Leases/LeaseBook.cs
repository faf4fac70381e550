using System.Diagnostics;
using KvPareto.Sweep.Storage;

namespace KvPareto.Sweep.Leases;

/// <summary>
/// The leases of a run folder, for any number of processes on any number of machines that see it; needs no locks and no server. A
/// holder rewrites a counter in its file; one whose counter stands still for long enough, by the clock of whoever watches, is dead. One of
/// this machine's processes is looked up instead.
/// </summary>
internal sealed class LeaseBook : IDisposable
{
    private readonly string _folder;
    private readonly LeaseTimes _times;
    private readonly List<Lease> _held = [];
    private readonly Dictionary<string, Sighting> _watched = [];
    private readonly ManualResetEventSlim _end = new();
    private readonly Thread _beats;

    /// <summary>Opens the leases in a folder, which is made where it is missing.</summary>
    public LeaseBook(string folder, LeaseTimes times)
    {
        (_folder, _times) = (Path.GetFullPath(folder), times);
        DiskFolder.RequireOwn(_folder);
        DiskFolder.Create(_folder);
        _beats = new(KeepUp) { IsBackground = true, Name = "leases" };
        _beats.Start();
    }

    /// <summary>What is leased by anyone, alive or not.</summary>
    public IEnumerable<string> Names() => Directory.EnumerateFiles(_folder)
        .Select(Path.GetFileName).OfType<string>()
        .Where(file => LeaseFile.GenerationOf(file) is not null).Select(file => file[..file.LastIndexOf('.')]).Distinct().ToList();

    /// <summary>Something is leased by anyone, alive or not.</summary>
    public bool Has(string name) => Files(name).Count > 0;

    /// <summary>Takes what is free or whose holder is dead; null where the holder lives or is not known to be dead yet.</summary>
    /// <exception cref="KvPareto.Text.Input.ConfigException">A lease's file is a link, a pipe or a folder.</exception>
    public Lease? TryTake(string name)
    {
        var seen = Files(name);
        var current = seen.MaxBy(file => file.Generation);
        if (current is not null && !IsDead(name, current)) return null;
        var generation = (current?.Generation ?? 0) + 1;
        if (Create(name, generation) is not { } lease) return null;
        // One that saw other files than this one did may have taken it too: both stand back and look again.
        if (Files(name).Any(other => other.Generation > generation
            || (other.Generation < generation && !seen.Exists(file => file.Holder?.Token == other.Holder?.Token))))
        {
            lease.Dispose();
            // Under a later one it is not held, and so not deleted by itself; nobody makes this generation again.
            if (Files(name).Any(other => other.Generation > generation)) File.Delete(Lease.PathOf(_folder, name, generation));
            return null;
        }
        // There are several where one was killed while it took over. The oldest goes first: its holder, should it wake, must not find its
        // own file without a later one beside it.
        foreach (var old in seen.OrderBy(file => file.Generation)) File.Delete(Lease.PathOf(_folder, name, old.Generation));
        lock (_held) _held.Add(lease);
        _watched.Remove(name);
        return lease;
    }

    /// <summary>The same, waiting until the holder has shown that it lives, or is known to be dead.</summary>
    public Lease? Take(string name)
    {
        var first = Current(name);
        while (true)
        {
            if (TryTake(name) is { } lease) return lease;
            if (Current(name) is { } now && first is not null && !now.Content.AsSpan().SequenceEqual(first.Content)) return null;
            first ??= Current(name);
            Thread.Sleep(_times.Look);
        }
    }

    /// <summary>Nobody else has a lease here, alive or not.</summary>
    public bool IsAlone()
    {
        lock (_held) return !Names().Except(_held.Select(lease => lease.Name)).Any();
    }

    /// <summary>Who holds a lease, in words.</summary>
    public string HolderOf(string name) => LeaseFile.WordsOf(Current(name)?.Holder);

    /// <inheritdoc/>
    public void Dispose()
    {
        _end.Set();
        _beats.Join();
        Lease[] held;
        lock (_held) held = [.. _held];
        foreach (var lease in held) lease.Dispose();
        _end.Dispose();
    }

    private void KeepUp()
    {
        while (!_end.Wait(_times.Beat))
        {
            Lease[] held;
            lock (_held) held = [.. _held];
            foreach (var lease in held) lease.Beat();
        }
    }

    private Lease? Create(string name, int generation)
    {
        var (path, content) = (Lease.PathOf(_folder, name, generation), Lease.ContentOf(LeaseHolder.Here()));
        var draft = AtomicFile.DraftOf(path);
        var file = DiskFile.TryCreate(draft, append: false) ?? throw Lease.FolderIsGone(Path.GetDirectoryName(_folder)!);
        DiskFile.Write(file, draft, content);
        DiskFile.Flush(file, draft);
        var made = DiskFile.TryLink(draft, path);
        if (made is null)
        {
            // Without links the name comes before the content, and a death between the two is known only by watching.
            file.Dispose();
            file = DiskFile.TryCreate(path, append: false);
            if (file is not null) DiskFile.Write(file, path, content);
            made = file is not null;
        }
        File.Delete(draft);
        if (made == true) return new(_folder, name, generation, file!, content, Forget);
        file?.Dispose();
        return null;
    }

    private void Forget(Lease lease)
    {
        lock (_held) _held.Remove(lease);
    }

    // A watcher that stood still itself must not take its own pause for the holder's: each look counts for little.
    private bool IsDead(string name, LeaseFile seen)
    {
        if (seen.Holder?.IsGone() == true) return true;
        var now = Stopwatch.GetTimestamp();
        if (!_watched.TryGetValue(name, out var before) || !before.File.Content.AsSpan().SequenceEqual(seen.Content))
        {
            _watched[name] = new(seen, now, TimeSpan.Zero);
            return false;
        }
        var step = Stopwatch.GetElapsedTime(before.At, now);
        var still = before.Still + (step < _times.Beat ? step : _times.Beat);
        _watched[name] = new(seen, now, still);
        return still >= _times.Expiry;
    }

    private LeaseFile? Current(string name) => Files(name).MaxBy(file => file.Generation);

    private List<LeaseFile> Files(string name) =>
    [
        .. Directory.EnumerateFileSystemEntries(_folder, name + ".*").Where(path => Path.GetFileNameWithoutExtension(path) == name)
            .Select(LeaseFile.TryRead).OfType<LeaseFile>(),
    ];

    private sealed record Sighting(LeaseFile File, long At, TimeSpan Still);
}
