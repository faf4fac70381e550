namespace KvPareto.Cpu.Kernels;

/// <summary>
/// Where each worker begins to read the weights of a product of few rows. While products wait for what comes between them, workers that
/// have nothing to do fetch the next one's weights into their caches; which one that is, the token before has shown.
/// </summary>
internal sealed unsafe class ReadAhead
{
    /// <summary>Most bytes that a worker fetches, a part of a second-level cache.</summary>
    public const int MostBytes = 256 * 1024;

    private const int StepBytes = 4 * Prefetch.CacheLine; // between two looks for work

    private Share[] _shares = [];

    /// <summary>What came after this the last time.</summary>
    public ReadAhead? Next { get; set; }

    /// <summary>Says how many workers there are; what they read is then nothing.</summary>
    public void Clear(int workers)
    {
        if (_shares.Length != workers) _shares = new Share[workers];
        else Array.Clear(_shares);
    }

    /// <summary>Says what a worker reads first.</summary>
    public void Set(int worker, byte* start, long bytes) => _shares[worker] = new(start, (int)Math.Min(bytes, MostBytes));

    /// <summary>Asks for a few more lines of a worker's share.</summary>
    /// <param name="worker">Worker.</param>
    /// <param name="done">Bytes that were asked for.</param>
    /// <returns>False if there are no more.</returns>
    public bool Fetch(int worker, ref int done)
    {
        var shares = _shares;
        if (worker >= shares.Length) return false;
        // Nothing is read: of a share that another thread is writing, or of weights that are gone, addresses do no harm.
        var share = shares[worker];
        if (done >= share.Bytes) return false;
        Prefetch.LinesForLater(share.Start + done, StepBytes);
        done += StepBytes;
        return true;
    }

    private readonly struct Share(byte* start, int bytes)
    {
        public readonly byte* Start = start;
        public readonly int Bytes = bytes;
    }
}
