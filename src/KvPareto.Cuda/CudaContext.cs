using KvPareto.Cuda.Interop;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;

namespace KvPareto.Cuda;

/// <summary>A device's primary context with one stream, and the kernels compiled for it. Everything runs in the order of its
/// calls.</summary>
internal sealed unsafe class CudaContext : IDisposable
{
    private const int ComputeMajor = 75; // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
    private const int ComputeMinor = 76;
    private const int MultiprocessorCount = 16;
    private const int SharedBytesAMultiprocessor = 81; // CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
    private const int SharedBytesOptIn = 97; // CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
    private const int OldestMajor = 8; // products of bf16 by tensor cores
    private const uint NonBlocking = 1;

    private readonly Dictionary<string, KernelModule> _modules = new(StringComparer.Ordinal);
    private readonly int _device;
    private readonly bool _startsEarly;
    private readonly nint _context;
    private readonly nint _stream;

    /// <summary>Opens a device.</summary>
    /// <param name="ordinal">Its number.</param>
    /// <param name="lender">Whose memory it works on; null for its own.</param>
    public CudaContext(int ordinal, MemoryLender? lender = null)
    {
        Lender = lender;
        Check(CudaDriver.cuInit(0), nameof(CudaDriver.cuInit));
        Check(CudaDriver.cuDeviceGet(out _device, ordinal), nameof(CudaDriver.cuDeviceGet));
        var (major, minor) = (Attribute(ComputeMajor), Attribute(ComputeMinor));
        if (major < OldestMajor)
            throw new ConfigException(
                $"device cuda:{ordinal} has compute capability {major}.{minor}; allowed: {OldestMajor}.0 (Ampere) and later, or cpu");
        Capability = $"{major}.{minor}";
        (Architecture, SharedBytes, _startsEarly) = ($"sm_{major}{minor}", Attribute(SharedBytesOptIn), major >= 9 && lender is null);
        (Multiprocessors, SharedBytesOfMultiprocessor) = (Attribute(MultiprocessorCount), Attribute(SharedBytesAMultiprocessor));
        Check(CudaDriver.cuDevicePrimaryCtxRetain(out _context, _device), nameof(CudaDriver.cuDevicePrimaryCtxRetain));
        MakeCurrent();
        if (major == 9) Architecture += "a"; // products of four warps are there on this one alone
        Check(CudaDriver.cuStreamCreate(out _stream, NonBlocking), nameof(CudaDriver.cuStreamCreate));
        lender?.Follow(_stream);
    }

    /// <summary>Whose memory it works on; null for its own.</summary>
    public MemoryLender? Lender { get; }

    /// <summary>Compute capability, as in <c>9.0</c>.</summary>
    public string Capability { get; }

    /// <summary>As in <c>sm_80</c> and <c>sm_90a</c>.</summary>
    public string Architecture { get; }

    /// <summary>Whether four warps can multiply together, straight from shared memory (warpgroups.cuh).</summary>
    public bool HasWarpGroups => Architecture == "sm_90a";

    /// <summary>Most shared memory of a block.</summary>
    public int SharedBytes { get; }

    /// <summary>Multiprocessors.</summary>
    public int Multiprocessors { get; }

    /// <summary>Shared memory of all blocks on one.</summary>
    public int SharedBytesOfMultiprocessor { get; }

    /// <summary>Set by launches that depend on more of a step than <see cref="RepeatedSteps"/> knows.</summary>
    public bool LaunchesVary { get; set; }

    /// <summary>How many launches and copies there were: what was prepared by one holds while there is no other.</summary>
    public long Works { get; private set; }

    /// <summary>The stream that everything runs on.</summary>
    public nint Stream => _stream;

    /// <summary>A context belongs to a thread: called where another one may have come in.</summary>
    public void MakeCurrent() => Check(CudaDriver.cuCtxSetCurrent(_context), nameof(CudaDriver.cuCtxSetCurrent));

    /// <summary>The kernels of a source, compiled once for each set of options.</summary>
    public KernelModule Module(string file, params ReadOnlySpan<string> options)
    {
        var key = options.Length == 0 ? file : $"{file} {string.Join(' ', options!)}";
        if (!_modules.TryGetValue(key, out var module)) _modules[key] = module = new KernelModule(file, Architecture, options);
        return module;
    }

    /// <summary>Begins to compile kernels that will be wanted.</summary>
    public void Prepare(string file, params ReadOnlySpan<string> options) => KernelCompiler.Prepare(file, Architecture, options);

    /// <summary>Launches a kernel that takes one structure.</summary>
    /// <param name="module">Where it is.</param>
    /// <param name="kernel">Its name.</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="threads">Of a block.</param>
    /// <param name="arguments">What it takes.</param>
    /// <param name="sharedBytes">Dynamic shared memory of a block.</param>
    /// <param name="cluster">Neighbouring blocks that run together, where the kernel does not say so itself.</param>
    public void Launch<TArguments>(
        KernelModule module, string kernel, Grid grid, int threads, in TArguments arguments, int sharedBytes = 0, int cluster = 1)
        where TArguments : unmanaged
    {
        if (grid.X == 0 || grid.Y == 0 || grid.Z == 0) return;
        Works++;
        var function = module.Function(kernel, sharedBytes);
        fixed (TArguments* pointer = &arguments)
        {
            void* parameter = pointer;
            // Kernels wait for the one before them themselves (common.cuh, wait_for_previous).
            var attributes = stackalloc CudaDriver.LaunchAttribute[2];
            var count = 0;
            if (_startsEarly) attributes[count++] = new() { Id = CudaDriver.LaunchAttribute.ProgrammaticSerialization, Value = 1 };
            if (cluster > 1) attributes[count++] = Cluster(cluster);
            var config = new CudaDriver.LaunchConfig
            {
                GridX = (uint)grid.X,
                GridY = (uint)grid.Y,
                GridZ = (uint)grid.Z,
                BlockX = (uint)threads,
                BlockY = 1,
                BlockZ = 1,
                SharedBytes = (uint)sharedBytes,
                Stream = _stream,
                Attributes = attributes,
                AttributeCount = (uint)count,
            };
            var code = CudaDriver.cuLaunchKernelEx(config, function, &parameter, null);
            if (code != 0) Check(code, $"{nameof(CudaDriver.cuLaunchKernelEx)}({kernel})");
        }
    }

    /// <summary>How many clusters of a kernel the device runs at a time.</summary>
    public int ResidentClusters(KernelModule module, string kernel, int cluster, int threads, int sharedBytes)
    {
        var dimension = Cluster(cluster);
        var config = new CudaDriver.LaunchConfig
        {
            GridX = (uint)(cluster * Multiprocessors),
            GridY = 1,
            GridZ = 1,
            BlockX = (uint)threads,
            BlockY = 1,
            BlockZ = 1,
            SharedBytes = (uint)sharedBytes,
            Stream = _stream,
            Attributes = &dimension,
            AttributeCount = 1,
        };
        Check(
            CudaDriver.cuOccupancyMaxActiveClusters(out var count, module.Function(kernel, sharedBytes), config),
            $"{nameof(CudaDriver.cuOccupancyMaxActiveClusters)}({kernel})");
        return count;
    }

    /// <summary>Counts what a library launches on the stream.</summary>
    public void CountWork() => Works++;

    /// <summary>Copies from the host; the source may be changed afterwards.</summary>
    public void Upload(nint destination, void* source, long bytes)
    {
        Works++;
        Check(CudaDriver.cuMemcpyHtoDAsync_v2(destination, source, (nuint)bytes, _stream), nameof(CudaDriver.cuMemcpyHtoDAsync_v2));
    }

    /// <summary>Copies on the device.</summary>
    public void Copy(nint destination, nint source, long bytes)
    {
        Works++;
        CudaCopy.OnDevice(destination, source, (nuint)bytes, _stream);
    }

    /// <summary>Copies to the host; complete after <see cref="Synchronize"/>.</summary>
    public void Download(void* destination, nint source, long bytes) =>
        Check(CudaDriver.cuMemcpyDtoHAsync_v2(destination, source, (nuint)bytes, _stream), nameof(CudaDriver.cuMemcpyDtoHAsync_v2));

    /// <summary>Makes bytes zero.</summary>
    public void Clear(nint address, long bytes)
    {
        Works++;
        if (bytes > 0) Check(CudaDriver.cuMemsetD8Async(address, 0, (nuint)bytes, _stream), nameof(CudaDriver.cuMemsetD8Async));
    }

    /// <summary>Waits for all that was launched.</summary>
    public void Synchronize() => Check(CudaDriver.cuStreamSynchronize(_stream), nameof(CudaDriver.cuStreamSynchronize));

    /// <inheritdoc/>
    public void Dispose()
    {
        KernelCompiler.Finish();
        foreach (var module in _modules.Values) module.Dispose();
        if (Lender is null) _ = CudaDriver.cuStreamDestroy_v2(_stream); // what was lent goes back in its order, later than this
        _ = CudaDriver.cuDevicePrimaryCtxRelease_v2(_device);
    }

    private static CudaDriver.LaunchAttribute Cluster(int blocks) =>
        new() { Id = CudaDriver.LaunchAttribute.ClusterDimension, Value = blocks, ValueY = 1, ValueZ = 1 };

    private int Attribute(int attribute)
    {
        Check(CudaDriver.cuDeviceGetAttribute(out var value, attribute, _device), nameof(CudaDriver.cuDeviceGetAttribute));
        return value;
    }

    private static void Check(int code, string call) => CudaException.ThrowIfFailed(code, call);
}

/// <summary>Blocks of a launch.</summary>
internal readonly record struct Grid(int X, int Y = 1, int Z = 1);
