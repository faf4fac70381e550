using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Tests.Memory;

/// <summary>Small weights in blocks that they share.</summary>
public class SharedBlockTests
{
    [Fact]
    public unsafe void Weights_KeepTheirBytes_WhileOthersComeAndGo()
    {
        var ledger = new MemoryLedger();
        int[] sizes = [0, 1, 64, 65, 100_000, SharedBlock.MaxPartBytes, SharedBlock.MaxPartBytes + 1, 7];
        var buffers = new List<(NativeBuffer Buffer, byte Mark)>();
        for (var i = 0; i < 200; i++)
        {
            var buffer = new NativeBuffer(ledger, MemoryCategory.Weights, sizes[i % sizes.Length]);
            Assert.Equal(0, buffer.Address % NativeBuffer.Alignment);
            new Span<byte>(buffer.As<byte>(), (int)buffer.ByteCount).Fill((byte)i);
            buffers.Add((buffer, (byte)i));
            if (i % 3 != 0) continue;
            var (old, mark) = buffers[i / 2 % buffers.Count];
            Assert.False(new ReadOnlySpan<byte>(old.As<byte>(), (int)old.ByteCount).ContainsAnyExcept(mark));
            old.Dispose();
            buffers.RemoveAt(i / 2 % buffers.Count);
        }
        foreach (var (buffer, mark) in buffers)
        {
            Assert.False(new ReadOnlySpan<byte>(buffer.As<byte>(), (int)buffer.ByteCount).ContainsAnyExcept(mark));
            buffer.Dispose();
        }
        Assert.Equal(0, ledger.Live.Total);
    }

    [Fact]
    public void AWeightSmallerThanALargePage_LiesWhereLargePagesAreAskedFor()
    {
        Assert.SkipUnless(Directory.Exists("/sys/kernel/mm/transparent_hugepage"), "this system has no transparent large pages");
        using var buffer = new NativeBuffer(new MemoryLedger(), MemoryCategory.Weights, 64 << 10);
        Assert.Contains("hg", FlagsAt(buffer.Address));
    }

    // The flags of the mapping that an address lies in (proc_pid_smaps(5)).
    private static string[] FlagsAt(nint address)
    {
        var isInside = false;
        foreach (var line in File.ReadLines("/proc/self/smaps"))
        {
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts[0] == "VmFlags:" && isInside) return parts;
            if (parts[0].Split('-') is not [var first, var end]) continue;
            isInside = address >= Convert.ToInt64(first, 16) && address < Convert.ToInt64(end, 16);
        }
        return [];
    }
}
