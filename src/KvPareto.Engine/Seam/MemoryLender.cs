namespace KvPareto.Engine.Seam;

/// <summary>Another library, for a backend whose kernels work on its memory and in the order of its work.</summary>
/// <param name="Lend">Gives so many bytes, uninitialised, for a purpose; throws <see cref="InsufficientMemoryException"/> where the device
/// has not so many.</param>
/// <param name="Follow">Takes the stream of the device that its own work goes to from now on.</param>
public sealed record MemoryLender(Func<MemoryCategory, long, AddressedBuffer> Lend, Action<nint> Follow);
