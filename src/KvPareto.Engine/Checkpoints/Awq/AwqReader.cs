using System.Runtime.CompilerServices;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Awq;

/// <summary>Reads packed linear layers and keeps them packed: the same codes and scales in the order of <see cref="HostWeight"/>.</summary>
/// <param name="checkpoint">Where the tensors are.</param>
/// <param name="config">How they are packed.</param>
internal sealed unsafe class AwqReader(Checkpoint checkpoint, AwqConfig config)
{
    // A cache line of words, so that each line of the file is read once.
    private const int WordsPerTask = 16;
    private const ushort HalfSign = 0x8000;
    private const ushort HalfInfinity = 0x7C00;

    /// <summary>Refuses a weight whose tensors do not fit, without reading them.</summary>
    /// <exception cref="ConfigException">A tensor is missing or of another shape or type, or the shape does not fit the
    /// layout.</exception>
    public void Check(WeightShape weight)
    {
        config.Stored(weight, checkpoint.Source);
        foreach (var (name, type, shape) in AwqLayout.TensorsOf(weight, config.Bits, config.GroupOf(weight.Columns)))
        {
            var header = checkpoint.Header(name, shape);
            if (header.Type != type)
                throw header.Refuse($"is of type {header.Type.SafeTensorsName()}; allowed: {type.SafeTensorsName()}");
        }
    }

    /// <summary>A weight with its bias; disposing it gives its memory back.</summary>
    /// <param name="weight">Its name and shape.</param>
    /// <param name="bias">Its bias.</param>
    /// <param name="ledger">Where the memory of what is read counts, as workspace.</param>
    /// <exception cref="ConfigException">As <see cref="Check"/>, or a scale is negative or not finite.</exception>
    public HostWeight Read(WeightShape weight, float[]? bias, MemoryLedger ledger)
    {
        Check(weight);
        var (layer, rows, columns) = (weight.Layer, weight.Rows, weight.Columns);
        var (group, outputs) = (config.GroupOf(columns), AwqLayout.WordOutputs(config.Bits));
        var stored = config.Stored(weight, checkpoint.Source);
        using var codes = checkpoint.Get($"{layer}.{AwqLayout.Codes}", ledger);
        using var zeros = checkpoint.Get($"{layer}.{AwqLayout.Zeros}", ledger);
        using var scales = checkpoint.Get($"{layer}.{AwqLayout.Scales}", ledger);

        var buffer = new NativeBuffer(ledger, MemoryCategory.Workspace, stored.StagingBytes);
        var result = new HostWeight(weight.Name, stored.Format, rows, columns, buffer.As<byte>(), buffer)
        {
            GroupSize = stored.Group,
            Groups = (GroupMeta*)(buffer.As<byte>() + (long)rows * columns / 8 * config.Bits),
            Bias = bias,
        };
        try
        {
            codes.ForPieces((first, end, source) => Transpose((nint)source, first, end, rows / outputs, result));
            Join(zeros, scales, group, rows / outputs, result);
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    // The stored code is q itself: both count from the smallest.
    private void Transpose(nint source, int first, int end, int words, HostWeight target)
    {
        var (bits, columns) = (config.Bits, target.ColumnCount);
        var destination = (nint)target.Data;
        Parallel.For(0, (words + WordsPerTask - 1) / WordsPerTask, task =>
        {
            var lastWord = Math.Min(words, (task + 1) * WordsPerTask);
            var perByte = 8 / bits;
            for (var k = first; k < end; k += perByte)
                for (var word = task * WordsPerTask; word < lastWord; word++)
                {
                    var even = Unsafe.ReadUnaligned<uint>((uint*)source + (nint)(k - first) * words + word);
                    var odd = perByte == 2 ? Unsafe.ReadUnaligned<uint>((uint*)source + (nint)(k + 1 - first) * words + word) : 0;
                    var row = (byte*)destination + ((nint)word * AwqLayout.WordOutputs(bits) * columns + k) / perByte;
                    for (var output = 0; output < AwqLayout.WordOutputs(bits); output++, row += columns / perByte)
                    {
                        var shift = AwqLayout.Shift(bits, output);
                        *row = perByte == 2 ? (byte)(even >> shift & 15 | (odd >> shift & 15) << 4) : (byte)(even >> shift);
                    }
                }
        });
    }

    private void Join(HostTensor zeros, HostTensor scales, int group, int words, HostWeight target)
    {
        var (bits, outputs) = (config.Bits, AwqLayout.WordOutputs(config.Bits));
        var (parts, perRow) = (group / target.GroupSize, target.ColumnCount / target.GroupSize);
        for (var g = 0; g < target.ColumnCount / group; g++)
            for (var row = 0; row < target.RowCount; row++)
            {
                var scale = Unsafe.ReadUnaligned<ushort>((ushort*)scales.Data + (nint)g * target.RowCount + row);
                if ((scale & HalfSign) != 0 || scale >= HalfInfinity)
                    throw scales.Header.Refuse("holds a scale that is negative or not finite");
                var word = Unsafe.ReadUnaligned<uint>((uint*)zeros.Data + (nint)g * words + row / outputs);
                var zero = (int)(word >> AwqLayout.Shift(bits, row % outputs)) & ((1 << bits) - 1);
                var meta = new GroupMeta(scale, (short)(zero + GroupCodec.MinCode(bits)));
                new Span<GroupMeta>(target.Groups + (nint)row * perRow + g * parts, parts).Fill(meta);
            }
    }
}
