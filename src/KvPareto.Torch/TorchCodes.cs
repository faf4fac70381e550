using System.Numerics;
using KvPareto.Engine.Cache;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>Small tensors on the device that the codec's scripts take, each made when it is first asked for.</summary>
/// <param name="device">Where.</param>
/// <param name="type">Of activations.</param>
/// <param name="stripeElements">Elements of a weight that are widened or decoded at once.</param>
internal sealed class TorchCodes(torch.Device device, torch.ScalarType type, int stripeElements) : IDisposable
{
    private readonly Dictionary<(string Name, int Size), torch.Tensor> _made = [];

    /// <summary>Where they are.</summary>
    public torch.Device Device => device;

    /// <summary>Where rows of a weight are widened or decoded, of the activations' type.</summary>
    public torch.Tensor Stripe => Once(nameof(Stripe), stripeElements, () => torch.empty([stripeElements], dtype: type, device: device));

    /// <summary>What a script is given for a tensor that is not there.</summary>
    public torch.Tensor Nothing => Once(nameof(Nothing), 0, () => torch.empty([0]));

    /// <summary>Where each code of a byte begins, [8 / bits] bytes.</summary>
    public torch.Tensor Shifts(int bits) => Once(
        nameof(Shifts), bits, () => torch.tensor(Enumerable.Range(0, 8 / bits).Select(i => (byte)(i * bits)).ToArray(), device: device));

    /// <summary>2^bits − 1, and the largest zero points of GroupCodec: of ranges, and of powers of two.</summary>
    public torch.Tensor Constants(int bits) =>
        Once(nameof(Constants), bits, () => torch.tensor([(1 << bits) - 1f, GroupCodec.LargestZero, short.MaxValue], device: device));

    /// <summary>
    /// The orthonormal Walsh–Hadamard matrix in natural order, [width, width] f64 (f32 on Apple's GPUs, which have no other): a sum rounded
    /// once does not move codes that lie on the edge of two.
    /// </summary>
    public torch.Tensor Hadamard(int width) => Once(nameof(Hadamard), width, () =>
    {
        var values = new double[width * width];
        for (var i = 0; i < values.Length; i++)
            values[i] = (int.IsOddInteger(BitOperations.PopCount((uint)(i / width & i % width))) ? -1 : 1) / Math.Sqrt(width);
        var element = device.type == DeviceType.MPS ? torch.ScalarType.Float32 : torch.ScalarType.Float64;
        return torch.tensor(values, [width, width], dtype: element, device: device);
    });

    public void Dispose()
    {
        foreach (var tensor in _made.Values) tensor.Dispose();
    }

    private torch.Tensor Once(string name, int size, Func<torch.Tensor> make)
    {
        if (!_made.TryGetValue((name, size), out var tensor)) _made[(name, size)] = tensor = make().DetachFromDisposeScope();
        return tensor;
    }
}
