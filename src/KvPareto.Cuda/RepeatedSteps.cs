using KvPareto.Cuda.Interop;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>
/// Steps that follow each other with the same launches, as tokens of one sequence do: what differs is in device memory. Those of one are
/// kept as a graph of the device, which stands for the later ones.
/// </summary>
internal sealed class RepeatedSteps(CudaContext context) : IDisposable
{
    private const int Relaxed = 2; // CU_STREAM_CAPTURE_MODE_RELAXED
    private const int StepsBefore = 4; // a graph is worth some steps

    private Key? _key;
    private int _steps;
    private bool _varies;
    private nint _graph;

    /// <summary>Does what <paramref name="ops"/> launch.</summary>
    /// <param name="step">Step; its caches, its workspace and how many rows it has are of what the launches depend on.</param>
    /// <param name="owners">Whose weights and tensors they take.</param>
    /// <param name="parts">Of a context in attention.</param>
    /// <param name="ops">Ops.</param>
    public void Run(Step step, (object Weights, object Tensors) owners, int parts, Action ops)
    {
        var key = new Key(owners, step.Workspace, step.Caches, step.Count, parts);
        if (!key.Equals(_key)) Forget(key);
        if (_graph == 0 && (_varies || _steps++ < StepsBefore))
        {
            context.LaunchesVary = false;
            ops();
            _varies |= context.LaunchesVary;
            return;
        }
        if (_graph == 0) _graph = Capture(ops);
        if (_graph != 0)
        {
            Check(CudaDriver.cuGraphLaunch(_graph, context.Stream), nameof(CudaDriver.cuGraphLaunch));
            return;
        }
        _varies = true; // a device or driver that keeps no such launches
        ops();
    }

    /// <inheritdoc/>
    public void Dispose() => Forget(null);

    private void Forget(Key? key)
    {
        if (_graph != 0)
        {
            context.Synchronize();
            _ = CudaDriver.cuGraphExecDestroy(_graph);
        }
        (_key, _steps, _varies, _graph) = (key, 0, false, 0);
    }

    private nint Capture(Action ops)
    {
        if (CudaDriver.cuStreamBeginCapture_v2(context.Stream, Relaxed) != 0) return 0;
        nint graph, executable;
        try
        {
            ops();
        }
        finally
        {
            if (CudaDriver.cuStreamEndCapture(context.Stream, out graph) != 0) graph = 0;
        }
        if (graph == 0) return 0;
        if (CudaDriver.cuGraphInstantiateWithFlags(out executable, graph, 0) != 0) executable = 0;
        _ = CudaDriver.cuGraphDestroy(graph);
        return executable;
    }

    private static void Check(int code, string call) => CudaException.ThrowIfFailed(code, call);

    private sealed record Key((object Weights, object Tensors) Owners, Workspace Workspace, KvCache[] Caches, int Count, int Parts)
    {
        public bool Equals(Key? other) => other is not null && ReferenceEquals(Owners.Weights, other.Owners.Weights)
            && ReferenceEquals(Owners.Tensors, other.Owners.Tensors) && ReferenceEquals(Workspace, other.Workspace)
            && Caches.AsSpan().SequenceEqual(other.Caches) && (Count, Parts) == (other.Count, other.Parts);

        public override int GetHashCode() => HashCode.Combine(Workspace, Count, Parts);
    }
}
