using System.Text;
using System.Text.Json;
using KvPareto.Sweep.Storage;
using KvPareto.Text.Input;
using Microsoft.Win32.SafeHandles;

namespace KvPareto.Sweep.Leases;

/// <summary>
/// The right to work on something, as a file <c>NAME.GENERATION</c> that only one process could make. Whoever takes it over makes the
/// next generation, and so the same names tell the earlier holder that it lost it.
/// </summary>
internal sealed class Lease : IDisposable
{
    private readonly Lock _gate = new();
    private readonly string _folder;
    private readonly int _generation;
    private readonly SafeFileHandle _file;
    private readonly byte[] _content;
    private readonly Action<Lease> _onDispose;
    private long _beat;

    internal Lease(string folder, string name, int generation, SafeFileHandle file, byte[] content, Action<Lease> onDispose)
    {
        (_folder, Name, _generation, _file, _content, _onDispose) = (folder, name, generation, file, content, onDispose);
    }

    /// <summary>What is leased.</summary>
    public string Name { get; }

    /// <summary>To be called before anything is written under the lease.</summary>
    /// <exception cref="LeaseLostException">Another has it by now.</exception>
    /// <exception cref="ConfigException">The run folder is gone.</exception>
    public void Confirm()
    {
        if (IsHeld()) return;
        throw Directory.Exists(_folder) ? new LeaseLostException(Name) : FolderIsGone(Path.GetDirectoryName(_folder)!);
    }

    /// <summary>What a user is told whose run folder vanished.</summary>
    public static ConfigException FolderIsGone(string folder, Exception? inner = null)
    {
        var message = $"{folder}: was removed or renamed while the run wrote to it; allowed: to leave a run's folder in its place";
        return inner is null ? new(message) : new(message, inner);
    }

    /// <summary>Gives it back, where it is still this process's.</summary>
    public void Dispose()
    {
        _onDispose(this);
        lock (_gate)
        {
            if (_file.IsClosed) return;
            if (IsHeld()) File.Delete(PathOf(_folder, Name, _generation));
            _file.Dispose();
        }
    }

    /// <summary>Shows that the holder lives.</summary>
    internal void Beat()
    {
        lock (_gate)
        {
            if (_file.IsClosed) return;
            Encoding.ASCII.GetBytes(LeaseHolder.BeatText(++_beat)).CopyTo(_content, BeatAt(_content));
            try
            {
                RandomAccess.Write(_file, _content, 0);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A lease that cannot be kept up is lost, which the next Confirm finds out; this thread has nobody to tell.
                return;
            }
        }
    }

    internal static string PathOf(string folder, string name, int generation) => Path.Combine(folder, $"{name}.{generation}");

    internal static byte[] ContentOf(LeaseHolder holder) => [.. JsonSerializer.SerializeToUtf8Bytes(holder), (byte)'\n'];

    private bool IsHeld()
    {
        using var file = DiskFile.TryOpenRead(PathOf(_folder, Name, _generation));
        if (file is null || File.Exists(PathOf(_folder, Name, _generation + 1))) return false;
        var content = new byte[_content.Length];
        var isHeld = RandomAccess.Read(file, content, 0) == content.Length;
        return isHeld && content.AsSpan(0, BeatAt(_content)).SequenceEqual(_content.AsSpan(0, BeatAt(_content)));
    }

    // The beat is the last value.
    private static int BeatAt(byte[] content) => content.Length - "\"}\n".Length - LeaseHolder.BeatText(0).Length;
}
