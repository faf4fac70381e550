using FsCheck;
using FsCheck.Fluent;
using KvPareto.Sweep.Reports.Pictures;

namespace KvPareto.Sweep.Tests.Reports.Pictures;

public class LabelPlacerTests
{
    private static readonly Box Plot = new(50, 30, 400, 300);

    [Fact]
    public void Place_NeverOverlapsAndNeverLeavesThePlot() => Prop.ForAll(Arb.From(Gen.Choose(0, 1 << 30)), seed =>
    {
        var requests = Requests(seed, count: 3 + seed % 30);
        var placed = LabelPlacer.Place(requests, [], [], Plot);
        var boxes = placed.OfType<PlacedLabel>().Select(label => label.Box).ToList();
        Assert.All(boxes, box => Assert.True(Plot.Contains(box)));
        Assert.All(boxes, box => Assert.All(requests, request => Assert.Equal(0, Box.Around(request.Anchor, request.Radius).Overlap(box))));
        for (var i = 0; i < boxes.Count; i++)
            for (var j = 0; j < i; j++) Assert.Equal(0, boxes[i].Overlap(boxes[j]));
        return placed.SequenceEqual(LabelPlacer.Place(requests, [], [], Plot));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Place_FindsRoomForAllOfAWideStaircase()
    {
        var requests = Enumerable.Range(0, 8).Select(step => new LabelRequest(new(110 + 40 * step, 310 - 35 * step), 8, 100, 11)).ToList();
        Assert.All(LabelPlacer.Place(requests, [], [], Plot), Assert.NotNull);
    }

    [Fact]
    public void Place_LeavesOutWhatDoesNotFit() =>
        Assert.Null(Assert.Single(LabelPlacer.Place([new(new(200, 100), 8, 500, 11)], [], [], Plot)));

    [Fact]
    public void Place_AvoidsObstaclesAndLines()
    {
        var request = new LabelRequest(new(250, 180), 8, 60, 11);
        var free = LabelPlacer.Place([request], [], [], Plot)[0]!.Box;
        LineSegment line = new(new(50, free.Centre.Y), new(450, free.Centre.Y));
        var moved = LabelPlacer.Place([request], [free], [line], Plot)[0]!.Box;
        Assert.Equal(0, moved.Overlap(free));
        Assert.False(line.Crosses(moved));
    }

    [Fact]
    public void Place_GivesALineToEveryNameThatIsNotClearlyNearestToItsOwnMarker() => Prop.ForAll(Arb.From(Gen.Choose(0, 1 << 30)), seed =>
    {
        var requests = Requests(seed, count: 2 + seed % 20);
        var placed = LabelPlacer.Place(requests, [], [], Plot);
        for (var i = 0; i < requests.Count; i++)
        {
            if (placed[i] is not { Leader: null } label) continue;
            var own = label.Box.DistanceTo(requests[i].Anchor);
            Assert.All(requests.Where((_, other) => other != i), other => Assert.True(own < label.Box.DistanceTo(other.Anchor)));
        }
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.5, 0)]
    [InlineData(0, 5)]
    [InlineData(7, 4)]
    [InlineData(12, 2)]
    public void Place_NamesBothOfTwoCloseMarkers(double right, double up)
    {
        LabelRequest[] requests = [new(new(200, 150), 6, 110, 12), new(new(200 + right, 150 - up), 6, 120, 12)];
        var placed = LabelPlacer.Place(requests, [], [], Plot);
        for (var i = 0; i < 2; i++)
        {
            Assert.NotNull(placed[i]);
            var (own, other) = (requests[i].Anchor, requests[1 - i].Anchor);
            if (placed[i]!.Leader is { } leader) Assert.True(leader.DistanceTo(own) <= Math.Max(6.001, leader.DistanceTo(other)));
            else Assert.True(placed[i]!.Box.DistanceTo(own) < placed[i]!.Box.DistanceTo(other));
        }
    }

    [Fact]
    public void Place_FindsRoomForAWideNameBesideANarrowOne()
    {
        Box low = new(0, 0, 150, 60);
        LabelRequest[] requests = [new(new(70, 48), 6, 30, 12), new(new(75, 48), 6, 130, 12)];
        Assert.All(LabelPlacer.Place(requests, [], [], low), Assert.NotNull);
    }

    /// <summary>Of two markers on one spot the first takes the only place free of other markers, unless the second may choose before it.</summary>
    [Fact]
    public void Place_OfMarkersOnOneSpot_CoversNoOthers()
    {
        Box plot = new(60, 635, 350, 205);
        LabelRequest[] requests =
        [
            new(new(101, 799), 5.6, 60, 12), new(new(109.7, 728), 5.6, 60, 12), new(new(118.38, 643), 5.6, 61, 12),
            new(new(118.46, 643), 5.6, 99, 12),
        ];
        Box[] obstacles =
            [.. new[] { 135.8, 153, 218, 227, 244, 262, 327 }.Select(x => Box.Around(new(x, 643), 3.6)), Box.Around(new(218, 672), 3.6)];
        var placed = LabelPlacer.Place(requests, obstacles, [], plot);
        Assert.All(placed, label => Assert.All(obstacles, obstacle => Assert.Equal(0, obstacle.Overlap(label!.Box))));
    }

    [Theory]
    [InlineData(0, 0, 10, 10, true)]
    [InlineData(0, 5, 3, 5, false)]
    [InlineData(5, 5, 5.5, 5.5, true)]
    [InlineData(0, 9, 9, 0, true)]
    [InlineData(0, 7, 7, 0, false)]
    public void Crosses_IsExactForLineAndBox(double x1, double y1, double x2, double y2, bool crosses) =>
        Assert.Equal(crosses, new LineSegment(new(x1, y1), new(x2, y2)).Crosses(new Box(4, 4, 2, 2)));

    private static List<LabelRequest> Requests(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => new LabelRequest(
            new(Plot.Left + random.NextDouble() * Plot.Width, Plot.Top + random.NextDouble() * Plot.Height),
                8, 20 + 100 * random.NextDouble(), 11))];
    }
}
