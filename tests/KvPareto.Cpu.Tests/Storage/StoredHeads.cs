using System.Numerics;
using KvPareto.Cpu.Storage;
using KvPareto.Engine.Seam;

namespace KvPareto.Cpu.Tests.Storage;

/// <summary>Memory of a store's heads, poison before, between and behind them; and what goes into them.</summary>
internal sealed unsafe class StoredHeads : IDisposable
{
    private const int GuardBytes = 64;
    private const byte Poison = 0xA5;

    private readonly TokenStore _store;
    private readonly NativeBuffer _memory;
    private readonly StorePlace[] _places;

    public StoredHeads(TokenStore store, int heads)
    {
        _store = store;
        _memory = new NativeBuffer(
            new MemoryLedger(), MemoryCategory.KvCache,
                heads * (GuardBytes + store.HeadBytes) + GuardBytes + store.LayerBytes + GuardBytes);
        new Span<byte>(_memory.As<byte>(), (int)_memory.ByteCount).Fill(Poison);
        var layer = _memory.As<byte>() + heads * (GuardBytes + store.HeadBytes) + GuardBytes;
        new Span<byte>(layer, (int)store.LayerBytes).Clear();
        _places = [.. Enumerable.Range(0, heads)
            .Select(h => new StorePlace(_memory.As<byte>() + GuardBytes + h * (GuardBytes + store.HeadBytes), layer))];
        foreach (var place in _places) new Span<byte>(place.Head, (int)store.HeadBytes).Clear();
    }

    public StorePlace this[int head] => _places[head];

    /// <summary>All bytes, guards included.</summary>
    public byte[] Bytes => new Span<byte>(_memory.As<byte>(), (int)_memory.ByteCount).ToArray();

    /// <summary>Appends rows [heads·D] as one append of a layer.</summary>
    public void Append(int start, IReadOnlyList<float[]> rows)
    {
        var stride = rows[0].Length + 3;
        var values = new float[rows.Count * stride];
        for (var i = 0; i < rows.Count; i++) rows[i].CopyTo(values, i * stride);
        fixed (float* source = values)
        {
            _store.BeginAppend(_places[0], GuardBytes + _store.HeadBytes, _places.Length, start, rows.Count, source, stride);
            for (var h = 0; h < _places.Length; h++) _store.Append(_places[h], start, rows.Count, source + h * _store.HeadDim, stride);
        }
    }

    /// <summary>One head's token by <see cref="TokenStore.Read"/>.</summary>
    public float[] Read(int head, int token)
    {
        var row = new float[_store.HeadDim];
        fixed (float* p = row) _store.Read(_places[head], token, p);
        return row;
    }

    /// <summary>Asserts that no byte beside the heads and their layer was written.</summary>
    public void AssertGuards()
    {
        var bytes = new ReadOnlySpan<byte>(_memory.As<byte>(), (int)_memory.ByteCount);
        var step = GuardBytes + (int)_store.HeadBytes;
        for (var h = 0; h <= _places.Length; h++)
            Assert.False(bytes.Slice(h * step, GuardBytes).ContainsAnyExcept(Poison), $"wrote before head {h}");
        Assert.False(bytes[^GuardBytes..].ContainsAnyExcept(Poison), "wrote behind the layer");
    }

    /// <summary>
    /// Rows of ordinary channels, channels far from zero, constant and zero ones, and some that stand out; everywhere |z| stays below 2^13,
    /// so that z·s is an exact f32 and fused and unfused kernels agree to the bit.
    /// </summary>
    public static float[][] Rows(int tokens, int width, int seed = 1)
    {
        var random = new Random(seed);
        var centre = Enumerable.Range(0, width).Select(c => (c / 8 % 5) switch { 0 => 3f, 1 => -0.5f, _ => 0f }).ToArray();
        var spread = Enumerable.Range(0, width)
            .Select(c => (c / 8 % 7) switch { 2 => 0f, 3 => 40f, _ => 0.25f + BitOperations.PopCount((uint)c) / 4f }).ToArray();
        return [.. Enumerable.Range(0, tokens)
            .Select(_ => Enumerable.Range(0, width).Select(c => centre[c] + spread[c] * (random.NextSingle() * 2 - 1)).ToArray())];
    }

    public void Dispose() => _memory.Dispose();
}
