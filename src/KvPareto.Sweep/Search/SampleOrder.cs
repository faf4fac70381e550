using KvPareto.Engine;

namespace KvPareto.Sweep.Search;

/// <summary>The order in which a search takes a task's samples: the same for every setting, so that differences are paired.</summary>
internal static class SampleOrder
{
    /// <summary>Indexes of a task's samples in a random order.</summary>
    /// <param name="task">Name of the task.</param>
    /// <param name="samples">Number of samples.</param>
    /// <param name="seed">Seed of the search.</param>
    public static int[] Of(string task, int samples, int seed)
    {
        int[] order = [.. Enumerable.Range(0, samples)];
        new SplitMix64(SplitMix64.Mix((ulong)seed ^ SplitMix64.Hash("samples\n" + task))).Shuffle(order);
        return order;
    }
}
