using FsCheck;
using FsCheck.Fluent;
using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Tests.Frontier;

public class HypervolumeTests
{
    /// <summary>Sums of the same boxes in another order than the tools that made the golden values.</summary>
    private const double RelativeTolerance = 1e-12;

    [Theory]
    [MemberData(nameof(GoldenSets.Names), MemberType = typeof(GoldenSets))]
    public void Compute_MatchesGoldenSet(string name)
    {
        var set = GoldenSets.Get(name);
        Assert.Equal(set.Hypervolume, Hypervolume.Compute(set.Points, set.Reference, set.Maximise), RelativeTolerance * set.Hypervolume);
    }

    [Fact]
    public void Compute_MatchesInclusionExclusion() => Check(set => InclusionExclusion(set));

    [Fact]
    public void Compute_DoesNotDependOnOrder() => Check(set => Compute(set with { Points = [.. set.Points.Reverse()] }));

    [Fact]
    public void Compute_IgnoresDominatedPoints() => Check(set =>
    {
        var worse = set.Points.Select(point => point.Zip(set.Maximise, (value, more) => value + (more ? -0.5 : 0.5)).ToArray());
        return Compute(set with { Points = [.. worse, .. set.Points] });
    });

    [Fact]
    public void Compute_IgnoresPointsOutsideTheBox() => Check(set =>
    {
        var outside = Enumerable.Range(0, set.Maximise.Length).Select(axis =>
        {
            var point = set.Maximise.Select(more => more ? 9.0 : -9.0).ToArray();
            point[axis] = set.Reference[axis];
            return point;
        });
        return Compute(set with { Points = [.. outside, .. set.Points] });
    });

    [Fact]
    public void Compute_OfAStaircaseInFourDimensions()
    {
        double[][] points = [[0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0]];
        Assert.Equal(5, Hypervolume.Compute(points, [2, 2, 2, 2], [false, false, false, false]), RelativeTolerance);
    }

    [Fact]
    public void Compute_RefusesAReferenceThatIsNotFinite()
    {
        var error = Assert.Throws<ArgumentException>(() => Hypervolume.Compute([[1, 2]], [3, double.NaN], [false, false]));
        Assert.Equal("the reference point: value 1 is not a finite number", error.Message);
    }

    private static void Check(Func<RandomPoints, double> expected) => Prop.ForAll(
        RandomPoints.Sets(), set => Math.Abs(Compute(set) - expected(set)) <= 1e-9).QuickCheckThrowOnFailure();

    private static double Compute(RandomPoints set) => Hypervolume.Compute(set.Points, set.Reference, set.Maximise);

    /// <summary>Volume of a union of boxes: those of all subsets' intersections, with alternating signs.</summary>
    private static double InclusionExclusion(RandomPoints set)
    {
        var sum = 0.0;
        for (var subset = 1; subset < 1 << set.Points.Length; subset++)
        {
            var volume = 1.0;
            for (var axis = 0; axis < set.Maximise.Length; axis++)
            {
                var extents = set.Points.Where((_, point) => (subset >> point & 1) == 1)
                    .Select(point => Math.Abs(point[axis] - set.Reference[axis]));
                volume *= extents.Min();
            }
            sum += int.PopCount(subset) % 2 == 1 ? volume : -volume;
        }
        return sum;
    }
}
