using System.Numerics;
using KvPareto.Engine.Cache;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>Small tensors on the device that the codec's scripts take.</summary>
internal sealed class TorchCodes : IDisposable
{
    private static readonly int[] Widths = [2, 4, 8];

    private readonly Dictionary<int, torch.Tensor> _shifts = [];
    private readonly Dictionary<int, torch.Tensor> _constants = [];
    private readonly Dictionary<int, torch.Tensor> _hadamard = [];

    /// <summary>Makes them.</summary>
    /// <param name="device">Where.</param>
    /// <param name="type">Of activations.</param>
    /// <param name="stripeElements">Elements of a weight that are widened or decoded at once.</param>
    public TorchCodes(torch.Device device, torch.ScalarType type, int stripeElements)
    {
        Device = device;
        Stripe = torch.empty([stripeElements], dtype: type, device: device);
        foreach (var bits in Widths)
        {
            _shifts[bits] = torch.tensor(Enumerable.Range(0, 8 / bits).Select(i => (byte)(i * bits)).ToArray(), device: device);
            _constants[bits] = torch.tensor([(1 << bits) - 1f, 32000f, short.MaxValue], device: device);
        }
    }

    /// <summary>Where they are.</summary>
    public torch.Device Device { get; }

    /// <summary>Where rows of a weight are widened or decoded, of the activations' type.</summary>
    public torch.Tensor Stripe { get; }

    /// <summary>What a script is given for a tensor that is not there.</summary>
    public torch.Tensor Nothing { get; } = torch.empty([0]);

    /// <summary>A group's entry as the scripts read it: the scale's bits above the zero point.</summary>
    public static int Entry(GroupMeta group) => group.ScaleBits << 16 | (ushort)group.Zero;

    /// <summary>Where each code of a byte begins, [8 / bits] bytes.</summary>
    public torch.Tensor Shifts(int bits) => _shifts[bits];

    /// <summary>2^bits − 1, and the largest zero points of GroupCodec: of ranges, and of powers of two.</summary>
    public torch.Tensor Constants(int bits) => _constants[bits];

    /// <summary>
    /// The orthonormal Walsh–Hadamard matrix in natural order, [width, width] f64 (f32 on Apple's GPUs, which have no other): a sum rounded
    /// once does not move codes that lie on the edge of two.
    /// </summary>
    public torch.Tensor Hadamard(int width)
    {
        if (_hadamard.TryGetValue(width, out var matrix)) return matrix;
        var values = new double[width * width];
        for (var i = 0; i < values.Length; i++)
            values[i] = (int.IsOddInteger(BitOperations.PopCount((uint)(i / width & i % width))) ? -1 : 1) / Math.Sqrt(width);
        var type = Device.type == DeviceType.MPS ? torch.ScalarType.Float32 : torch.ScalarType.Float64;
        return _hadamard[width] = torch.tensor(values, [width, width], dtype: type, device: Device);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stripe.Dispose();
        Nothing.Dispose();
        foreach (var tensor in _shifts.Values.Concat(_constants.Values).Concat(_hadamard.Values)) tensor.Dispose();
    }
}
