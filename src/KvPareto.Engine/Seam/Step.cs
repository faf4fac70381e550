using KvPareto.Engine.Cache;

namespace KvPareto.Engine.Seam;

/// <summary>How attention scores are held.</summary>
public enum AttentionKernel
{
    /// <summary>Online softmax over tiles of the cache; nothing of the context's length is ever held.</summary>
    Flash,

    /// <summary>All scores [Nq, T, L] materialised: the usual baseline.</summary>
    Math,
}

/// <summary>What a run needs scratch for. Everything an op writes besides its result is sized from this at set-up.</summary>
/// <param name="MaxTokens">Largest T of a step.</param>
/// <param name="Capacity">Largest context L of a step.</param>
/// <param name="Geometry">Heads and their width.</param>
/// <param name="Kernel">Attention kernel.</param>
/// <param name="MaxSequences">Most caches of a step.</param>
public sealed record WorkspaceShape(int MaxTokens, int Capacity, KvGeometry Geometry, AttentionKernel Kernel, int MaxSequences = 1);

/// <summary>Scratch of one run, allocated before its first step. Backends subclass it.</summary>
/// <param name="shape">What it was sized for.</param>
public abstract class Workspace(WorkspaceShape shape) : IDisposable
{
    /// <summary>What it was sized for.</summary>
    public WorkspaceShape Shape { get; } = shape;

    /// <summary>How many 32-bit numbers describe a step: ids, positions, starts, and one for the backend.</summary>
    public static int DescriptionInts(int maxTokens, int maxSequences) => 2 * maxTokens + maxSequences + 1;

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>One forward pass: T tokens with their positions, and where each token's keys and values go.</summary>
public sealed class Step
{
    internal Step(Workspace workspace, int[] ids, int[] positions, KvCache[] caches, int[] starts)
    {
        (Workspace, Ids, Positions, Caches, Starts) = (workspace, ids, positions, caches, starts);
    }

    /// <summary>Scratch of the run.</summary>
    public Workspace Workspace { get; }

    /// <summary>The same step with other scratch.</summary>
    public Step With(Workspace workspace) => new(workspace, Ids, Positions, Caches, Starts);

    /// <summary>T.</summary>
    public int Count => Ids.Length;

    /// <summary>Token ids [T].</summary>
    public int[] Ids { get; }

    /// <summary>Positions [T], for the rotary embedding.</summary>
    public int[] Positions { get; }

    /// <summary>One cache (a chunk of one sequence) or T (batched decoding, a row each).</summary>
    public KvCache[] Caches { get; }

    /// <summary>For each cache the row its first new token takes.</summary>
    public int[] Starts { get; }
}
