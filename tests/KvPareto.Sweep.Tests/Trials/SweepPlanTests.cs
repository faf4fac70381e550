using KvPareto.Sweep.Trials;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Trials;

public class SweepPlanTests
{
    [Theory]
    [InlineData("facts", "facts", "key 'tasks' has two named 'facts'; allowed: a 'name' of its own for each")]
    [InlineData("facts", "facts/exact", "key 'tasks' has 'facts/exact', as a part of another is called; allowed: names that begin with")]
    [InlineData("a/b/c", "a", "key 'tasks' has 'a/b/c', as a part of another is called; allowed: ")]
    public void NamesThatResultsCannotTellApart_AreRefused(string first, string second, string expected)
    {
        SweepTask[] tasks = [new(first, new FakeTask("facts", 3)), new(second, new FakeTask("counts", 2))];
        var error = Assert.Throws<ConfigException>(() => SweepPlan.Make(FakeSweep.Config(), tasks, new FakeEngine()));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NamesThatBeginAlike_AreTwo()
    {
        SweepTask[] tasks = [new("a/b", new FakeTask("facts", 3)), new("a/bc", new FakeTask("counts", 2))];
        Assert.Equal(2, SweepPlan.Make(FakeSweep.Config(), tasks, new FakeEngine()).Tasks.Count);
    }
}
