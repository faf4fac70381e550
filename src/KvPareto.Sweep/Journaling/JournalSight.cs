namespace KvPareto.Sweep.Journaling;

/// <summary>What <c>run.json</c> and the journals of a run folder say, for a worker that asks after every trial: of each file only what is
/// new is read.</summary>
/// <param name="folder">Run folder.</param>
internal sealed class JournalSight(string folder)
{
    private readonly RecordSight<RecordFile.Entry<JournalEvent>> _journals = new(
        (path, lines, before) => [.. before, .. JournalReader.Events(path, lines)]);

    private byte[]? _page;
    private (RunRecord Run, bool IsSealed)? _run;

    /// <summary>As <see cref="JournalReader.Read"/>.</summary>
    public JournalState Read()
    {
        var page = RunFile.TryReadPage(folder);
        if (page is null) _run = null;
        else if (_page is null || !page.AsSpan().SequenceEqual(_page)) _run = RunFile.Parse(folder, page);
        _page = page;
        return JournalReader.Of(_run, JournalReader.Files(folder).Select(_journals.Read));
    }
}
