using System.Runtime.InteropServices;

namespace KvPareto.Torch.Interop;

/// <summary>The environment that native libraries read: .NET keeps a copy of its own, which they do not see.</summary>
internal static partial class LibC
{
    /// <summary>Sets a variable.</summary>
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SetEnvironment(string name, string value, int overwrite);
}
