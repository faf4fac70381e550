using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Tests.Kernels;

public unsafe class ReadAheadTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(100, 1)]
    [InlineData(4096, 16)]
    [InlineData(1 << 30, ReadAhead.MostBytes / 256)]
    public void Fetch_EndsWithTheShare_OrAPartOfTheCache(long bytes, int calls)
    {
        var ahead = new ReadAhead();
        ahead.Clear(3);
        ahead.Set(1, (byte*)64, bytes); // what is fetched need not be there
        var (done, count) = (0, 0);
        while (ahead.Fetch(1, ref done)) count++;
        Assert.Equal(calls, count);
        done = 0;
        Assert.False(ahead.Fetch(0, ref done));
        Assert.False(ahead.Fetch(3, ref done));
        ahead.Clear(3);
        Assert.False(ahead.Fetch(1, ref done));
        Assert.Equal(0, done);
    }

    [Fact]
    public void Products_LearnWhatComesNext()
    {
        using var team = new WorkerTeam(2);
        using var first = new LinearCase(WeightFormat.W4, 1, 64, 640, 64, bias: false);
        using var second = new LinearCase(WeightFormat.BF16, 1, 64, 640, 0, bias: false);
        using var scratch = new LinearScratch(new MemoryLedger(), 2);
        float* x = stackalloc float[64], y = stackalloc float[640];
        for (var token = 0; token < 2; token++)
            foreach (var weight in new[] { first.Weight, second.Weight })
                LinearKernel.Multiply(team, x, 64, 1, [new(weight, y, 640)], scratch);
        Assert.Same(second.Weight.Ahead, first.Weight.Ahead.Next);
        Assert.Same(first.Weight.Ahead, second.Weight.Ahead.Next);
        Assert.Same(second.Weight.Ahead, scratch.Previous);
    }
}
