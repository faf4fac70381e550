using KvPareto.Engine.Generation;

namespace KvPareto.Engine.Tests.Generation;

public class PromptPassesTests
{
    [Theory]
    [InlineData(256, 1024, new[] { 512, 1024, 2048, 3072 })]
    [InlineData(256, 512, new[] { 512, 1024, 1536 })]
    [InlineData(256, 768, new[] { 512, 768, 1536, 2304 })]
    [InlineData(256, 1280, new[] { 512, 1280, 2560 })]
    [InlineData(32, 1024, new[] { 512, 1024, 2048 })]
    [InlineData(32, 64, new[] { 64, 128, 192 })]
    [InlineData(300, 1200, new[] { 600, 1200, 2400 })]
    [InlineData(128, 128, new[] { 128, 256, 384 })]
    [InlineData(2048, 2048, new[] { 2048, 4096 })]
    public void Ends_AreThose(int chunk, int together, int[] ends)
    {
        var passes = new PromptPasses(chunk, together);
        var from = 0;
        foreach (var end in ends)
        {
            Assert.Equal(end, passes.After(from));
            Assert.Equal(end, passes.After(end - 1));
            Assert.Equal((from, end), (passes.UpTo(end - 1), passes.UpTo(end)));
            Assert.Equal(0, end % chunk);
            from = end;
        }
    }
}
