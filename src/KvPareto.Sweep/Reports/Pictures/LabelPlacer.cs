namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>A text that belongs to a marker.</summary>
/// <param name="Anchor">Middle of the marker.</param>
/// <param name="Radius">Radius of the marker.</param>
/// <param name="Width">Width of the text.</param>
/// <param name="Height">Height of the text.</param>
internal readonly record struct LabelRequest(Position Anchor, double Radius, double Width, double Height);

/// <summary>Where a text goes, and the line from it to its marker.</summary>
/// <param name="Box">Where the text is.</param>
/// <param name="Leader">
/// The line, from the marker's rim to the text, or from its middle where other labelled markers lie over it; null where the text lies
/// close by and nearer to this marker than to any other.
/// </param>
internal sealed record PlacedLabel(Box Box, LineSegment? Leader);

/// <summary>
/// Places labels greedily: each takes the cheapest of some places around its marker that neither leave the plot nor touch a label,
/// a leader line or a labelled marker; then each is placed again now that the others are known. What could be taken for the label of
/// another marker gets a line to its own. A label without such a place is left out. The result depends only on the input.
/// </summary>
internal static class LabelPlacer
{
    private const int Directions = 24;
    private const int Passes = 3;
    private const int Attempts = 6;
    private const double Gap = 3;
    private const double Rim = 1.5;
    private const double LeaderFrom = 9;

    // A text at this much less than another marker's distance is seen to belong to its own.
    private const double ClearlyNearer = 4;
    private const double ElsewhereCost = 6;
    private const double ObstacleCost = 26;
    private const double LineCost = 14;
    private const double LeaderObstacleCost = 8;
    private const double DirectionCost = 5;
    private const double DistanceCost = 0.35;

    // An upright leader would be lost in the marker's error bar, a level one in the frontier's steps.
    private const double StraightLeaderCost = 12;

    // The corner of low memory and high score is empty beyond a frontier.
    private const double BestDirection = 1.25 * Math.PI;

    private static readonly double[] Distances = [0, 6, 13, 22, 34, 48, 66, 88, 114, 144, 180];

    /// <summary>Places as many labels as fit.</summary>
    /// <param name="requests">The labels; earlier ones choose first.</param>
    /// <param name="obstacles">Other markers, which a label should not cover.</param>
    /// <param name="lines">Lines that a label should not cover.</param>
    /// <param name="bounds">The plot.</param>
    /// <returns>One entry for each request; null where there is no place.</returns>
    public static PlacedLabel?[] Place(
        IReadOnlyList<LabelRequest> requests, IReadOnlyList<Box> obstacles, IReadOnlyList<LineSegment> lines, Box bounds)
    {
        int[] order = [.. Enumerable.Range(0, requests.Count)];
        var last = Place(order, requests, obstacles, lines, bounds);
        var (best, fewest) = (last, Faults(last, obstacles));
        for (var attempt = 1; attempt < Attempts && fewest != default; attempt++)
        {
            order = [.. order.OrderBy(index => last[index] is { } label && Covered(label, obstacles) == 0)];
            last = Place(order, requests, obstacles, lines, bounds);
            var faults = Faults(last, obstacles);
            if (faults.CompareTo(fewest) < 0) (best, fewest) = (last, faults);
        }
        return best;
    }

    private static (int Missing, int Covered) Faults(PlacedLabel?[] labels, IReadOnlyList<Box> obstacles) =>
        (labels.Count(label => label is null), labels.Sum(label => label is null ? 0 : Covered(label, obstacles)));

    private static int Covered(PlacedLabel label, IReadOnlyList<Box> obstacles) =>
        obstacles.Count(obstacle => obstacle.Overlap(label.Box) > 0);

    private static PlacedLabel?[] Place(
        int[] order, IReadOnlyList<LabelRequest> requests, IReadOnlyList<Box> obstacles, IReadOnlyList<LineSegment> lines, Box bounds)
    {
        var placed = new PlacedLabel?[requests.Count];
        for (var pass = 0; pass < Passes; pass++)
        {
            foreach (var index in order)
            {
                placed[index] = null;
                placed[index] = Cheapest(index, requests, placed, obstacles, lines, bounds);
            }
        }
        return placed;
    }

    private static PlacedLabel? Cheapest(
        int index,
        IReadOnlyList<LabelRequest> requests,
        PlacedLabel?[] placed,
        IReadOnlyList<Box> obstacles,
        IReadOnlyList<LineSegment> lines,
        Box bounds)
    {
        var (best, lowest) = ((PlacedLabel?)null, double.PositiveInfinity);
        foreach (var distance in Distances)
        {
            for (var direction = 0; direction < Directions; direction++)
            {
                var angle = 2 * Math.PI * direction / Directions;
                var turn = Math.Abs(Math.IEEERemainder(angle - BestDirection, 2 * Math.PI));
                var cost = DistanceCost * distance + DirectionCost * turn / Math.PI;
                if (cost >= lowest) continue;
                var candidate = Candidate(index, requests, distance, angle);
                if (!bounds.Contains(candidate.Box) || IsBlocked(candidate, index, requests, placed)) continue;
                if (!IsNearest(candidate.Box, index, requests))
                {
                    if (candidate.Leader is null) continue;
                    cost += ElsewhereCost;
                }
                cost += ObstacleCost * Covered(candidate, obstacles);
                cost += LineCost * lines.Count(line => line.Crosses(candidate.Box));
                if (candidate.Leader is { } leader)
                    cost += LeaderObstacleCost * obstacles.Count(leader.Crosses) + (IsStraight(leader) ? StraightLeaderCost : 0);
                if (cost < lowest) (best, lowest) = (candidate, cost);
            }
        }
        return best;
    }

    private static bool IsStraight(LineSegment leader) =>
        Math.Abs(leader.From.X - leader.To.X) < 0.5 || Math.Abs(leader.From.Y - leader.To.Y) < 0.5;

    /// <summary>Whether a text is clearly nearer to its marker than to any other labelled one.</summary>
    private static bool IsNearest(Box box, int index, IReadOnlyList<LabelRequest> requests)
    {
        var own = box.DistanceTo(requests[index].Anchor) + ClearlyNearer;
        for (var other = 0; other < requests.Count; other++)
            if (other != index && box.DistanceTo(requests[other].Anchor) < own) return false;
        return true;
    }

    /// <summary>The box that touches, from outside, a circle around the marker in the given direction.</summary>
    private static PlacedLabel Candidate(int index, IReadOnlyList<LabelRequest> requests, double distance, double angle)
    {
        var request = requests[index];
        var (sin, cos) = Math.SinCos(angle);
        var reach = request.Radius + Gap + distance;
        var touch = new Position(request.Anchor.X + reach * cos, request.Anchor.Y + reach * sin);
        var box = new Box(
            touch.X - request.Width * (1 - cos) / 2, touch.Y - request.Height * (1 - sin) / 2, request.Width, request.Height);
        if (distance < LeaderFrom) return new(box, null);
        var end = box.Nearest(request.Anchor);
        var length = Math.Max(end.To(request.Anchor), double.Epsilon);
        var rim = Covers(index, requests).Any() ? 0 : request.Radius / length;
        var start = new Position(
            request.Anchor.X + rim * (end.X - request.Anchor.X), request.Anchor.Y + rim * (end.Y - request.Anchor.Y));
        return new(box, new(start, end));
    }

    /// <summary>The other labelled markers that lie over a marker.</summary>
    private static IEnumerable<int> Covers(int index, IReadOnlyList<LabelRequest> requests) =>
        Enumerable.Range(0, requests.Count).Where(other =>
            other != index && requests[other].Anchor.To(requests[index].Anchor) < requests[other].Radius + requests[index].Radius);

    private static bool IsBlocked(PlacedLabel candidate, int index, IReadOnlyList<LabelRequest> requests, PlacedLabel?[] placed)
    {
        var box = candidate.Box.Grown(Rim);
        for (var other = 0; other < requests.Count; other++)
        {
            var marker = Box.Around(requests[other].Anchor, requests[other].Radius);
            if (marker.Overlap(box) > 0) return true;
            if (other == index) continue;
            if (candidate.Leader is { } line && Hides(line, index, requests[other], requests)) return true;
            if (placed[other] is not { } label) continue;
            if (label.Box.Grown(Rim).Overlap(box) > 0 || label.Leader?.Crosses(box) == true) return true;
            if (candidate.Leader is { } leader
                && (leader.Crosses(label.Box.Grown(Rim)) || label.Leader is { } theirs && leader.Crosses(theirs)))
                return true;
        }
        return false;
    }

    /// <summary>
    /// Whether a line would seem to point at another marker: it touches it, or, where that one lies over its own, runs nearer to its
    /// middle than its own middle is.
    /// </summary>
    private static bool Hides(LineSegment line, int index, LabelRequest other, IReadOnlyList<LabelRequest> requests)
    {
        var apart = other.Anchor.To(requests[index].Anchor);
        return apart < other.Radius + requests[index].Radius
            ? line.DistanceTo(other.Anchor) < 0.8 * apart
            : line.Crosses(Box.Around(other.Anchor, other.Radius));
    }
}
