using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace KvPareto.Cpu.Kernels;

/// <summary>One item of a <see cref="WorkerTeam.For"/>.</summary>
/// <param name="state">What the loop was started with.</param>
/// <param name="index">Item, 0 … count − 1.</param>
/// <param name="worker">Who runs it, 0 … <see cref="WorkerTeam.Count"/> − 1; two items that run at one time have two workers.</param>
internal delegate void WorkBody<TState>(in TState state, int index, int worker);

/// <summary>
/// The threads that share a kernel's work; the calling thread is worker 0. A loop's items are handed out one by one, and only
/// items are waited for, never workers: one that the system has not scheduled costs nothing. Idle workers spin for a moment
/// (the ops of a step follow each other within microseconds), fetching what comes next, and then sleep.
/// </summary>
internal sealed unsafe class WorkerTeam : IDisposable
{
    private const double SpinSeconds = 50e-6;
    private static readonly long SpinTicks = (long)(SpinSeconds * Stopwatch.Frequency);

    private readonly Thread[] _threads;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly SemaphoreSlim _finished = new(0);
    private Counters _counters;
    private volatile bool _stopping;
    private volatile ExceptionDispatchInfo? _failure;
    private volatile ReadAhead? _ahead;
    private delegate*<Delegate, void*, int, int, void> _invoke;
    private Delegate? _body;
    private void* _state;
    private int _count;

    /// <summary>Starts <paramref name="workers"/> − 1 threads; null for a worker a processor.</summary>
    public WorkerTeam(int? workers = null)
    {
        Count = workers ?? Environment.ProcessorCount;
        _threads = new Thread[Count - 1];
        for (var i = 0; i < _threads.Length; i++)
        {
            var worker = i + 1;
            _threads[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"kvpareto-{worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>Workers, the calling thread included.</summary>
    public int Count { get; }

    /// <summary>What workers fetch while they wait, if anything.</summary>
    public ReadAhead? Ahead { set => _ahead = value; }

    /// <summary>
    /// Runs <paramref name="body"/> for each index 0 … <paramref name="count"/> − 1, in any order and on any worker, and returns
    /// when all have ended. Allocates nothing if the body is a static lambda. What a body throws is thrown again here (the first
    /// one, if several did); items not begun by then are left out.
    /// </summary>
    /// <exception cref="InvalidOperationException">A loop of this team is running already: loops do not nest.</exception>
    public void For<TState>(int count, in TState state, WorkBody<TState> body)
    {
        if (count <= 0) return;
        if (Interlocked.Exchange(ref _counters.Busy, 1) != 0) throw new InvalidOperationException("a worker team runs one loop at a time");
        try
        {
            if (count == 1 || Count == 1)
            {
                for (var i = 0; i < count; i++) body(in state, i, 0);
                return;
            }
            // The workers read a copy on this stack: `state` may lie in an object, which the collector may move.
            var copy = state;
            _invoke = &Invoke<TState>;
            _state = Unsafe.AsPointer(ref copy);
            _body = body;
            RunShared(count);
        }
        finally
        {
            _body = null;
            Volatile.Write(ref _counters.Busy, 0);
        }
        Interlocked.Exchange(ref _failure, null)?.Throw();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_stopping) return;
        _stopping = true;
        if (_threads.Length > 0) _wake.Release(_threads.Length);
        foreach (var thread in _threads) thread.Join();
        _wake.Dispose();
        _finished.Dispose();
    }

    private static void Invoke<TState>(Delegate body, void* state, int index, int worker) =>
        Unsafe.As<WorkBody<TState>>(body)(in Unsafe.AsRef<TState>(state), index, worker);

    private void RunShared(int count)
    {
        _count = count;
        _counters.Completed = 0;
        Interlocked.Exchange(ref _counters.Remaining, count); // publishes the fields above
        Wake(count - 1);
        Drain(worker: 0);
        var deadline = Stopwatch.GetTimestamp() + SpinTicks;
        while (Volatile.Read(ref _counters.Completed) != count)
        {
            if (Stopwatch.GetTimestamp() < deadline) Thread.SpinWait(1);
            else SleepUntilFinished(count);
        }
    }

    private void SleepUntilFinished(int count)
    {
        Interlocked.Exchange(ref _counters.CallerSleeps, 1);
        // If a worker took the mark between, its token is on the way and must be consumed.
        if (Volatile.Read(ref _counters.Completed) == count && Interlocked.Exchange(ref _counters.CallerSleeps, 0) == 1) return;
        _finished.Wait();
    }

    private void Work(int worker)
    {
        var fetched = default(Fetched);
        while (AwaitItems(worker, ref fetched)) Drain(worker);
    }

    // An item taken keeps its loop alive, so the fields read after taking are those of the item's own loop.
    private void Drain(int worker)
    {
        var (done, count) = (0, 0);
        while (Volatile.Read(ref _counters.Remaining) > 0)
        {
            var left = Interlocked.Decrement(ref _counters.Remaining);
            if (left < 0) break;
            count = _count;
            done++;
            if (_failure is null) RunItem(count - 1 - left, worker);
        }
        if (done == 0 || Interlocked.Add(ref _counters.Completed, done) != count) return;
        if (worker != 0 && Interlocked.Exchange(ref _counters.CallerSleeps, 0) == 1) _finished.Release();
    }

    private void RunItem(int index, int worker)
    {
        try
        {
            _invoke(_body!, _state, index, worker);
        }
        catch (Exception error)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(error), null);
        }
    }

    private bool AwaitItems(int worker, ref Fetched fetched)
    {
        var deadline = Stopwatch.GetTimestamp() + SpinTicks;
        while (Volatile.Read(ref _counters.Remaining) <= 0)
        {
            if (_stopping) return false;
            if (FetchAhead(worker, ref fetched)) continue;
            if (Stopwatch.GetTimestamp() < deadline)
            {
                Thread.SpinWait(1);
                continue;
            }
            Interlocked.Increment(ref _counters.Sleepers);
            if ((Volatile.Read(ref _counters.Remaining) > 0 || _stopping) && TakeSleepers(1) == 1) continue;
            _wake.Wait();
            deadline = Stopwatch.GetTimestamp() + SpinTicks;
        }
        return true;
    }

    private bool FetchAhead(int worker, ref Fetched fetched)
    {
        var ahead = _ahead;
        if (ahead is null) return false;
        if (!ReferenceEquals(ahead, fetched.Of)) fetched = new() { Of = ahead };
        return ahead.Fetch(worker, ref fetched.Bytes);
    }

    private void Wake(int most)
    {
        if (Volatile.Read(ref _counters.Sleepers) == 0) return;
        var sleepers = TakeSleepers(most);
        if (sleepers > 0) _wake.Release(sleepers);
    }

    private int TakeSleepers(int most)
    {
        while (true)
        {
            var sleepers = Volatile.Read(ref _counters.Sleepers);
            var taken = Math.Min(sleepers, most);
            if (taken == 0 || Interlocked.CompareExchange(ref _counters.Sleepers, sleepers - taken, sleepers) == sleepers) return taken;
        }
    }

    // What a worker has fetched of what comes next.
    private struct Fetched
    {
        public ReadAhead? Of;
        public int Bytes;
    }

    // Each on a cache line pair of its own: the workers spin on Remaining while others count what is completed.
    [StructLayout(LayoutKind.Explicit, Size = 640)]
    private struct Counters
    {
        [FieldOffset(128)] public int Remaining;
        [FieldOffset(256)] public int Completed;
        [FieldOffset(384)] public int Sleepers;
        [FieldOffset(388)] public int CallerSleeps;
        [FieldOffset(512)] public int Busy;
    }
}
