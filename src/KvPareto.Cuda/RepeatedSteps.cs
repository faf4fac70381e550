using System.Runtime.InteropServices;
using KvPareto.Cuda.Interop;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>
/// Steps that follow each other with the same launches, as tokens of one sequence do: what differs is in device memory. Those of one are
/// kept as a graph of the device, which stands for the later ones. Where attention launches otherwise each time and another library's ops
/// lie between, which cost the host more than a kernel, what is between two attentions is a graph.
/// </summary>
internal sealed class RepeatedSteps(CudaContext context) : IDisposable
{
    private const int Relaxed = 2; // CU_STREAM_CAPTURE_MODE_RELAXED
    private const int StepsBefore = 4; // a graph is worth some steps

    private readonly List<nint> _graphs = [];
    private Key? _key;
    private int _steps;
    private bool _varies;
    private bool _isRefused;
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
    /// <param name="step">Step; its caches, its workspace and how many rows it has are of what the launches depend on.</param>
    /// <param name="owners">Whose weights and tensors they take.</param>
    /// <param name="parts">Of a context in attention.</param>
    /// <param name="ops">Ops.</param>
    public void Run(Step step, (object Weights, object Tensors) owners, int parts, Action ops)
    {
        var thread = context.Lender is null ? 0 : Environment.CurrentManagedThreadId; // other libraries keep scratch for each
        var key = new Key(owners, step.Workspace, step.Count, thread, step.Caches, parts);
        if (!key.Takes(_key, _varies)) Forget(key);
        if (_isRefused || (_varies && context.Lender is null) || _steps++ < StepsBefore)
        {
            context.LaunchesVary = false;
            ops();
            _varies |= context.LaunchesVary;
            return;
        }
        if (_graphs.Count == 0) _isRefused = !TryCapture(ops);
        else if (_varies) Go(State.Replaying, ops);
        else Launch(_graphs[0]);
        if (_isRefused) ops();
    }

    /// <summary>Runs what launches otherwise each time, if attention does.</summary>
    public void EachTime(Action op)
    {
        if (!_varies || _state == State.Running)
        {
            op();
            return;
        }
        var state = _state;
        End();
        _state = State.Running;
        op();
        _state = state;
        Begin();
    }

    /// <inheritdoc/>
    public void Dispose() => Forget(null);

    // False for a device, a driver or a library that keeps no such launches: none has run then.
    private bool TryCapture(Action ops)
    {
        try
        {
            Go(State.Capturing, ops);
            return true;
        }
        catch (Exception error) when (_graphs.Count == 0 && error is CudaException or ExternalException)
        {
            return false;
        }
    }

    private void Go(State state, Action ops)
    {
        var isDone = false;
        (_state, _next) = (state, 0);
        try
        {
            Begin();
            ops();
            End();
            isDone = true;
        }
        finally
        {
            _state = State.Running;
            if (!isDone)
            {
                _ = CudaDriver.cuStreamEndCapture(context.Stream, out _);
                if (_graphs.Count > 0) Forget(null);
            }
        }
    }

    private void Begin()
    {
        if (_state == State.Capturing)
            Check(CudaDriver.cuStreamBeginCapture_v2(context.Stream, Relaxed), nameof(CudaDriver.cuStreamBeginCapture_v2));
    }

    private void End()
    {
        if (_state == State.Capturing)
        {
            Check(CudaDriver.cuStreamEndCapture(context.Stream, out var graph), nameof(CudaDriver.cuStreamEndCapture));
            var code = CudaDriver.cuGraphInstantiateWithFlags(out var executable, graph, 0);
            _ = CudaDriver.cuGraphDestroy(graph);
            Check(code, nameof(CudaDriver.cuGraphInstantiateWithFlags));
            _graphs.Add(executable);
        }
        Launch(_graphs[_next++]);
    }

    private void Launch(nint graph) => Check(CudaDriver.cuGraphLaunch(graph, context.Stream), nameof(CudaDriver.cuGraphLaunch));

    private void Forget(Key? key)
    {
        if (_graphs.Count > 0) context.Synchronize();
        foreach (var graph in _graphs) _ = CudaDriver.cuGraphExecDestroy(graph);
        _graphs.Clear();
        (_key, _steps, _varies, _isRefused) = (key, 0, false, false);
    }

    private static void Check(int code, string call) => CudaException.ThrowIfFailed(code, call);

    private sealed record Key(
        (object Weights, object Tensors) Owners, Workspace Workspace, int Count, int Thread, KvCache[] Caches, int Parts)
    {
        // Whether a step launches what one of another key did: outside of attention caches and parts change nothing.
        public bool Takes(Key? other, bool attentionVaries) => other is not null && ReferenceEquals(Owners.Weights, other.Owners.Weights)
            && ReferenceEquals(Owners.Tensors, other.Owners.Tensors) && ReferenceEquals(Workspace, other.Workspace)
            && (Count, Thread) == (other.Count, other.Thread)
            && (attentionVaries || (Caches.AsSpan().SequenceEqual(other.Caches) && Parts == other.Parts));
    }
}
