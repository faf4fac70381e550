using System.Buffers.Binary;
using System.Text;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Checkpoints.SafeTensors;

/// <summary>Builds safetensors files byte by byte, honest or not.</summary>
internal static class HostileSafeTensors
{
    public static byte[] File(string header, int dataLength) => File(Encoding.UTF8.GetBytes(header), dataLength);

    public static byte[] File(byte[] header, int dataLength)
    {
        var bytes = new byte[sizeof(ulong) + header.Length + dataLength];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)header.Length);
        header.CopyTo(bytes, sizeof(ulong));
        return bytes;
    }

    /// <summary>The message with which a file is refused: one line that names the file.</summary>
    public static string Refusal(byte[] bytes)
    {
        using var folder = new ScratchFolder();
        var path = folder.Write("model.safetensors", bytes);
        var error = Assert.Throws<ConfigException>(() => SafeTensorsFile.Open(path).Dispose());
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        return error.Message;
    }
}
