namespace KvPareto.Testing;

/// <summary>An empty folder of one test, deleted with everything in it afterwards.</summary>
/// <param name="inMemory">
/// Whether it may lie in Linux's shared memory: run folders are flushed thousands of times, and tests would mostly wait for the disk.
/// A program in it cannot be started on every machine.
/// </param>
public sealed class ScratchFolder(bool inMemory = true) : IDisposable
{
    private const string SharedMemory = "/dev/shm";
    private const long LeastRoom = 1L << 30;

    private static readonly bool HasSharedMemory = Environment.GetEnvironmentVariable("TMPDIR") is null && IsRoomy(SharedMemory);

    public string Root { get; } = inMemory && HasSharedMemory
        ? Directory.CreateDirectory(Path.Combine(SharedMemory, $"kvpareto-{Guid.NewGuid():N}")).FullName
        : Directory.CreateTempSubdirectory("kvpareto-").FullName;

    public string this[string name] => Path.Combine(Root, name);

    public string Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        File.WriteAllText(this[name], text);
        return this[name];
    }

    public string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static bool IsRoomy(string folder)
    {
        try
        {
            return OperatingSystem.IsLinux() && new DriveInfo(folder).AvailableFreeSpace >= LeastRoom;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
