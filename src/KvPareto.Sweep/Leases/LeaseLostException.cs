namespace KvPareto.Sweep.Leases;

/// <summary>A lease is another's by now: its holder stood still for too long. Nothing must be written under it any more.</summary>
/// <param name="name">What was leased.</param>
internal sealed class LeaseLostException(string name) : Exception($"the lease of '{name}' was taken over by another worker");
