using System.Runtime.InteropServices;
using KvPareto.Cuda.Interop;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>
/// Steps that come again with the same launches, as tokens of a sequence or of several do: what differs is in device memory. Those of one
/// are kept as a graph of the device, which stands for the later ones, for each number of sequences under way. Where attention launches
/// otherwise each time and another library's ops lie between, which cost the host more than a kernel, what is between two attentions is a
/// graph.
/// </summary>
internal sealed class RepeatedSteps(CudaContext context) : IDisposable
{
    private const int Relaxed = 2; // CU_STREAM_CAPTURE_MODE_RELAXED
    private const int StepsBefore = 4; // a graph is worth some steps

    private readonly List<Kind> _kinds = []; // the latest last
    private readonly int _most = context.Lender is null ? 16 : 1; // a graph of another library's ops has memory of its own
    private Kind? _kind; // of the step at hand
    private State _state;
    private int _next;

    private enum State
    {
        Running,
        Capturing,
        Replaying,
    }

    /// <summary>Whether graphs stand for ops outside of <see cref="EachTime"/>, which are to be left out.</summary>
    public bool StandForOps => _state == State.Replaying;

    /// <summary>Does what <paramref name="ops"/> launch.</summary>
    /// <param name="step">Step; its workspace, how many rows it has and how its caches store are of what the launches depend on.</param>
    /// <param name="owners">Whose weights and tensors they take.</param>
    /// <param name="parts">Of a context in attention.</param>
    /// <param name="scratch">Where products have theirs.</param>
    /// <param name="ops">Ops.</param>
    public void Run(Step step, (object Weights, object Tensors) owners, int parts, nint scratch, Action ops)
    {
        var thread = context.Lender is null ? 0 : Environment.CurrentManagedThreadId; // other libraries keep scratch for each
        var cache = step.Caches[0];
        var kind = _kind = KindOf(new(owners, step.Workspace, step.Count, thread, scratch, (cache.Geometry, cache.Spec), parts));
        if (kind.IsRefused || (kind.Varies && context.Lender is null) || kind.Steps++ < StepsBefore)
        {
            context.LaunchesVary = false;
            ops();
            kind.Varies |= context.LaunchesVary;
            return;
        }
        if (kind.Graphs.Count == 0) kind.IsRefused = !TryCapture(kind, ops);
        else if (kind.Varies) Go(kind, State.Replaying, ops);
        else Launch(kind.Graphs[0]);
        if (kind.IsRefused) ops();
    }

    /// <summary>Runs what launches otherwise each time, if attention does.</summary>
    public void EachTime(Action op)
    {
        if (_state == State.Running || !_kind!.Varies)
        {
            op();
            return;
        }
        var state = _state;
        End(_kind);
        _state = State.Running;
        op();
        _state = state;
        Begin();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var kind in _kinds) Forget(kind);
        _kinds.Clear();
    }

    // The one that a step is of, which is the latest then; the one that was longest ago makes room for another.
    private Kind KindOf(Key key)
    {
        var at = _kinds.FindLastIndex(kind => key.Takes(kind.Key, kind.Varies));
        var kind = at < 0 ? new Kind(key) : _kinds[at];
        if (at < 0 && _kinds.Count == _most) Forget(_kinds[at = 0]);
        if (at >= 0) _kinds.RemoveAt(at);
        _kinds.Add(kind);
        return kind;
    }

    // False for a device, a driver or a library that keeps no such launches: none has run then.
    private bool TryCapture(Kind kind, Action ops)
    {
        try
        {
            Go(kind, State.Capturing, ops);
            return true;
        }
        catch (Exception error) when (kind.Graphs.Count == 0 && error is CudaException or ExternalException)
        {
            return false;
        }
    }

    private void Go(Kind kind, State state, Action ops)
    {
        var isDone = false;
        (_state, _next) = (state, 0);
        try
        {
            Begin();
            ops();
            End(kind);
            isDone = true;
        }
        finally
        {
            _state = State.Running;
            if (!isDone)
            {
                _ = CudaDriver.cuStreamEndCapture(context.Stream, out _);
                if (kind.Graphs.Count > 0) Forget(kind);
            }
        }
    }

    private void Begin()
    {
        if (_state == State.Capturing)
            Check(CudaDriver.cuStreamBeginCapture_v2(context.Stream, Relaxed), nameof(CudaDriver.cuStreamBeginCapture_v2));
    }

    private void End(Kind kind)
    {
        if (_state == State.Capturing)
        {
            Check(CudaDriver.cuStreamEndCapture(context.Stream, out var graph), nameof(CudaDriver.cuStreamEndCapture));
            var code = CudaDriver.cuGraphInstantiateWithFlags(out var executable, graph, 0);
            _ = CudaDriver.cuGraphDestroy(graph);
            Check(code, nameof(CudaDriver.cuGraphInstantiateWithFlags));
            kind.Graphs.Add(executable);
        }
        Launch(kind.Graphs[_next++]);
    }

    private void Launch(nint graph) => Check(CudaDriver.cuGraphLaunch(graph, context.Stream), nameof(CudaDriver.cuGraphLaunch));

    private void Forget(Kind kind)
    {
        if (kind.Graphs.Count > 0) context.Synchronize();
        foreach (var graph in kind.Graphs) _ = CudaDriver.cuGraphExecDestroy(graph);
        kind.Graphs.Clear();
        kind.Steps = 0;
    }

    private static void Check(int code, string call) => CudaException.ThrowIfFailed(code, call);

    private sealed class Kind(Key key)
    {
        public Key Key => key;

        public List<nint> Graphs { get; } = [];

        public int Steps { get; set; } // so far, but for those of graphs

        public bool Varies { get; set; }

        public bool IsRefused { get; set; }
    }

    private sealed record Key(
        (object Weights, object Tensors) Owners, Workspace Workspace, int Count, int Thread, nint Scratch,
        (KvGeometry Geometry, KvSpec Spec) Caches, int Parts)
    {
        // Whether a step launches what one of another key did: outside of attention caches and parts change nothing.
        public bool Takes(Key other, bool attentionVaries) => ReferenceEquals(Owners.Weights, other.Owners.Weights)
            && ReferenceEquals(Owners.Tensors, other.Owners.Tensors) && ReferenceEquals(Workspace, other.Workspace)
            && (Count, Thread, Scratch) == (other.Count, other.Thread, other.Scratch)
            && (attentionVaries || (Caches == other.Caches && Parts == other.Parts));
    }
}
