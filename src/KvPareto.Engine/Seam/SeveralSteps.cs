using KvPareto.Engine.Cache;

namespace KvPareto.Engine.Seam;

/// <summary>What a backend offers for several steps of one sequence, which take their linear layers together: attention then goes by where
/// a step starts, not by how long the cache is, for all of them have their rows reserved at once.</summary>
public abstract class SeveralSteps
{
    /// <summary>Fewest tokens of a step.</summary>
    public const int LeastTokens = 8;

    /// <summary>
    /// Memory for the activations of several steps; null where there is none for two. It counts as <paramref name="bytes"/> of activations:
    /// all else is a part of the workspace that products can spare.
    /// </summary>
    /// <param name="bytes">Of one step by itself.</param>
    /// <param name="stepBytes">Of each step, whole times 256.</param>
    /// <param name="most">Steps at the most.</param>
    public abstract DeviceBuffer? Alloc(long bytes, long stepBytes, int most);

    /// <summary>Whether <see cref="Backend.NormGated"/> of more than <see cref="LeastTokens"/> rows leaves u alone, as it has to.</summary>
    public abstract bool LeavesUp(Weight gate, Weight up);

    /// <summary>Scratch for a step beside those of <paramref name="other"/>, which it shares but for what describes the step: that is in
    /// <paramref name="description"/>, of <see cref="Workspace.DescriptionInts"/> numbers for <paramref name="maxTokens"/>.</summary>
    public abstract Workspace Beside(Workspace other, Tensor description, int maxTokens);

    /// <summary>Whether one step of <paramref name="tokens"/> tokens caches and attends to what steps of <paramref name="chunk"/> tokens
    /// would, one after the other, and its scratch suffices: then it is quicker.</summary>
    public abstract bool AreOne(Workspace workspace, KvCache cache, int chunk, int tokens);
}
