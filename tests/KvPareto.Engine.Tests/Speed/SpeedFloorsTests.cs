using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Speed;

namespace KvPareto.Engine.Tests.Speed;

public class SpeedFloorsTests
{
    /// <summary>
    /// By hand for Llama-3.1-8B: 32 layers of 4096·(2·4096 + 2·1024 + 3·14336) = 218,103,808 weights, two operations each and token;
    /// attention's two products of 2·4096 operations a layer and key.
    /// </summary>
    [Theory]
    [InlineData(0, 1000, 1000.0 * (2 * 32 * 218_103_808.0 + 4.0 * 32 * 4096 * 500))]
    [InlineData(4096, 1000, 1000.0 * (2 * 32 * 218_103_808.0 + 4.0 * 32 * 4096 * 4596))]
    [InlineData(4096, 0, 0)]
    public void Operations_AreThoseOfWeightsAndAttention(int depth, int prompt, double operations)
    {
        using var shapes = ModelSource.Open("Llama-3.1-8B").OpenShapes();
        Assert.Equal(operations, SpeedFloors.Operations(shapes.Config, new(depth, prompt, 8)), 1e-9 * operations);
    }

    [Theory]
    [InlineData(0, 100, 8, 107, 7)]
    [InlineData(50, 100, 8, 157, 7)]
    [InlineData(50, 0, 8, 58, 8)]
    [InlineData(0, 100, 0, 100, 0)]
    [InlineData(0, 100, 1, 100, 0)]
    public void Case_HoldsWhatIsFed(int depth, int prompt, int newTokens, int capacity, int later)
    {
        var lengths = new SpeedCase(depth, prompt, newTokens);
        Assert.Equal((capacity, later), (lengths.Capacity, lengths.Later));
    }
}
