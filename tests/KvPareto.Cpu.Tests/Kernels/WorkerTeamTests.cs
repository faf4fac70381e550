using KvPareto.Cpu.Kernels;

namespace KvPareto.Cpu.Tests.Kernels;

public sealed class WorkerTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public void For_RunsEachItemOnce_OnKnownWorkers(int workers)
    {
        using var team = new WorkerTeam(workers);
        foreach (var count in (int[])[0, 1, 2, 7, 1000])
        {
            var state = (Runs: new int[count], Busy: new int[workers]);
            team.For(count, state, static (in (int[] Runs, int[] Busy) s, int index, int worker) =>
            {
                if (Interlocked.Increment(ref s.Busy[worker]) != 1) throw new InvalidOperationException("two items share a worker");
                Interlocked.Increment(ref s.Runs[index]);
                Interlocked.Decrement(ref s.Busy[worker]);
            });
            Assert.All(state.Runs, runs => Assert.Equal(1, runs));
        }
    }

    [Theory]
    [InlineData(2, 100_000)]
    [InlineData(8, 20_000)]
    public void For_SurvivesManyShortLoops(int workers, int loops)
    {
        using var team = new WorkerTeam(workers);
        var sums = new long[workers * 16];
        var expected = 0L;
        for (var i = 0; i < loops; i++)
        {
            var count = i % 5;
            expected += count * (count + 1) / 2;
            team.For(count, sums, static (in long[] s, int index, int worker) => s[worker * 16] += index + 1);
        }
        Assert.Equal(expected, sums.Sum());
    }

    [Fact]
    public void For_WakesWorkersThatSleep()
    {
        using var team = new WorkerTeam(4);
        using var meeting = new Barrier(4);
        for (var i = 0; i < 20; i++)
        {
            Thread.Sleep(2);
            // Ends only if four workers stand in it at one time.
            team.For(4, meeting, static (in Barrier b, int _, int _) => b.SignalAndWait());
        }
        Assert.Equal(20, meeting.CurrentPhaseNumber);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void For_ThrowsWhatABodyThrew_AndGoesOn(int workers)
    {
        using var team = new WorkerTeam(workers);
        for (var i = 0; i < 200; i++)
        {
            var error = Assert.Throws<InvalidDataException>(() => team.For(16, i, static (in int round, int index, int _) =>
            {
                if (index == round % 16) throw new InvalidDataException($"round {round}");
            }));
            Assert.Equal($"round {i}", error.Message);
            var hits = new int[64];
            team.For(64, hits, static (in int[] h, int index, int _) => h[index]++);
            Assert.Equal(64, hits.Sum());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void For_RefusesToNest(int workers)
    {
        using var team = new WorkerTeam(workers);
        var error = Assert.Throws<InvalidOperationException>(() => team.For(4, team, static (in WorkerTeam t, int _, int _) =>
            t.For(2, 0, static (in int _, int _, int _) => { })));
        Assert.Contains("one loop at a time", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void For_AllocatesNothing()
    {
        using var team = new WorkerTeam(2);
        var sums = new int[32];
        void Loop(int times)
        {
            for (var i = 0; i < times; i++) team.For(8, sums, static (in int[] s, int index, int worker) => s[16 * worker] += index);
        }
        Loop(1000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Loop(1000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void For_KeepsItsStateAlive_WhileTheCollectorMovesObjects()
    {
        using var team = new WorkerTeam(3);
        var results = new int[256];
        for (var i = 0; i < 20; i++)
        {
            var holder = new Holder { State = (results, [i]) };
            team.For(256, in holder.State, static (in (int[] Results, int[] Value) s, int index, int _) =>
            {
                if (index % 32 == 0) GC.Collect(0);
                s.Results[index] = s.Value[0] + new byte[64].Length;
            });
            Assert.All(results, r => Assert.Equal(i + 64, r));
        }
    }

    private sealed class Holder
    {
        public (int[] Results, int[] Value) State;
    }
}
