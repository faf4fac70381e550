using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;

namespace KvPareto.Cuda.Tests;

/// <summary>How attention is cut into blocks.</summary>
public class AttentionPlanTests
{
    private static readonly KvGeometry Llama = new(32, 8, 128, [0]);

    [Theory]
    [InlineData(1, 3)]
    [InlineData(128, 3)]
    [InlineData(129, 4)]
    [InlineData(8000, 51)]
    [InlineData(131072, 51)]
    public void Splits_OfASingleTokenAreFixed(int length, int count)
    {
        foreach (var sequences in new[] { 1, 7 })
            Assert.Equal(count, new AttentionPlan(Llama, false, sequences, 1).Splits(length).Count);
    }

    /// <summary>All blocks of a sequence's new token are at work at a time on a device of 132 multiprocessors, those for tokens beside the
    /// coded ones too.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(32)]
    public void Blocks_OfASingleTokenAreAtWorkTogether(int keyHeads)
    {
        var plan = new AttentionPlan(new KvGeometry(32, keyHeads, 128, [0]), false, 1, 1);
        foreach (var beside in new[] { 0, 1 })
            Assert.InRange((plan.SingleParts(keepsRows: beside > 0) + beside) * keyHeads, 1, 3 * 132);
    }

    /// <summary>Parts cover the context, none is empty, and they are whole tiles.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(64)]
    [InlineData(256)]
    [InlineData(5000)]
    public void Splits_CoverTheContext(int tokens)
    {
        var plan = new AttentionPlan(Llama, false, 1, tokens);
        for (var length = tokens; length < 40_000; length += 331)
        {
            var (count, part) = plan.Splits(length);
            if (count == 1) continue;
            Assert.True(part % 128 == 0 && (long)count * part >= length
                && (long)(count - 1) * part < length, $"{length}: {count} parts of {part}");
            Assert.True(count * plan.RowBlocks * 8 <= 400);
        }
    }

    /// <summary>The workspace holds the parts of every step that it may see.</summary>
    [Theory]
    [InlineData(1, 100)]
    [InlineData(64, 9000)]
    [InlineData(300, 4096)]
    [InlineData(2048, 2048)]
    public void Workspace_HoldsEveryStepsParts(int maxTokens, int capacity)
    {
        var shape = new WorkspaceShape(maxTokens, capacity, Llama, AttentionKernel.Flash);
        var bytes = CudaWorkspace.PredictByteCount(shape);
        for (var tokens = 1; tokens <= maxTokens; tokens++)
        {
            var plan = new AttentionPlan(Llama, false, 1, tokens);
            for (var length = tokens; length <= capacity; length += 97)
            {
                var parts = plan.Splits(length).Count;
                if (parts > 1) Assert.True(bytes >= (long)tokens * 32 * parts * 130 * 4);
            }
        }
    }

    /// <summary>Blocks of 128 rows fit what compute capability 9.0 has, 227 KiB.</summary>
    [Theory]
    [InlineData(64)]
    [InlineData(128)]
    public void LargeSharedBytes_FitTheirDevice(int headDim) =>
        Assert.True(new AttentionPlan(new KvGeometry(8, 2, headDim, [0]), false, 1, 256).LargeSharedBytes <= (227 << 10) - 2048);

    /// <summary>Blocks fit the least that a device of these capabilities has, 99 KiB, less what a kernel has of its own; large granules do
    /// not.</summary>
    [Theory]
    [InlineData(64, "k4v4-t64-prebias", true)]
    [InlineData(128, "k4v4-t64-prebias", true)]
    [InlineData(128, "k16v16", true)]
    [InlineData(128, "k4v4-kch128-vt64", true)]
    [InlineData(256, "k16v16", true)]
    [InlineData(256, "k4v4-t64-prebias", false)]
    [InlineData(128, "k4v4-kch256-vt64", false)]
    public void SharedBytes_FitSmallDevices(int headDim, string name, bool fits)
    {
        var spec = InferenceSetting.Parse("w16a16-" + name).Cache;
        Assert.Equal(fits, AttentionPlan.MostSharedBytes(new KvGeometry(8, 2, headDim, [0]), spec) <= (99 << 10) - 2048);
    }

    /// <summary>The math kernel has all scores at once, and never parts.</summary>
    [Fact]
    public void Math_IsNotSplit()
    {
        var plan = new AttentionPlan(Llama, false, 1, 4, isMath: true);
        Assert.Equal((1, int.MaxValue), plan.Splits(100_000));
        Assert.False(plan.IsFew);
    }
}
