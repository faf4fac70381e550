namespace KvPareto.Engine.Seam;

/// <summary>Memory of another library, for a backend whose kernels work in the order of that library's default stream.</summary>
/// <param name="category">What it is for.</param>
/// <param name="byteCount">Bytes, uninitialised.</param>
/// <exception cref="InsufficientMemoryException">The device has not so many.</exception>
public delegate AddressedBuffer MemoryLender(MemoryCategory category, long byteCount);
