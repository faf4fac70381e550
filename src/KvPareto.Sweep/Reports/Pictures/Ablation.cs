using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>A point of an ablation: a measured setting and its value on the axis that varies.</summary>
internal sealed record AblationPoint(FrontierPoint Point, AxisValue Value);

/// <summary>Settings of one model that differ on one axis alone.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Others">What they share, as names have it.</param>
/// <param name="Points">By the axis' order, one for each value, at least two.</param>
internal sealed record AblationSeries(string Model, string Others, IReadOnlyList<AblationPoint> Points);

/// <summary>What one axis does to score and peak, all others fixed.</summary>
/// <param name="Axis">The axis that varies.</param>
/// <param name="Values">Its values, in order.</param>
/// <param name="Series">Every set of settings that differ on it alone.</param>
internal sealed record Ablation(FigureAxis Axis, IReadOnlyList<AxisValue> Values, IReadOnlyList<AblationSeries> Series)
{
    /// <summary>The ablations that some models' settings hold, in the order of the axes.</summary>
    public static IReadOnlyList<Ablation> Of(IReadOnlyList<ModelFrontier> models)
    {
        var found = new List<Ablation>();
        foreach (var axis in FigureAxis.All.Select(choice => choice[^1]))
        {
            List<AblationSeries> series = [.. models.SelectMany(model => SeriesOf(model, axis))];
            if (series.Count == 0) continue;
            var values = series.SelectMany(one => one.Points).Select(point => point.Value).DistinctBy(value => value.Text)
                .OrderBy(value => value.Order).ThenBy(value => value.Text, StringComparer.Ordinal);
            found.Add(new(axis, [.. values], series));
        }
        return found;
    }

    private static IEnumerable<AblationSeries> SeriesOf(ModelFrontier model, FigureAxis axis)
    {
        FigureAxis[] others = [.. FigureAxis.All.Select(choice => choice[0]).Where(other => other.Place != axis.Place)
            .OrderBy(other => other.Place)];
        Candidate[] candidates =
        [
            .. from point in model.Points
               let setting = FrontierAnalysis.SettingOf(point.Trial)
               where setting is not null && axis.ValueOf(setting) is not null
               let parts = others.Select(other => other.ValueOf(setting) is null ? null : other.PartOf(setting))
               select new Candidate(new(point, axis.ValueOf(setting)!.Value), [.. parts]),
        ];
        foreach (var same in candidates.GroupBy(one => one.Others).OrderBy(same => same.Key, StringComparer.Ordinal))
        {
            var first = same.MinBy(one => one.Parts.Count(part => part is null))!;
            if (candidates.Any(one => one.Others != same.Key && first.GoesWith(one))) continue;
            AblationPoint[] points =
            [
                .. candidates.Where(one => one.GoesWith(first)).Select(one => one.Point)
                    .OrderBy(point => point.Value.Order).ThenBy(point => point.Value.Text, StringComparer.Ordinal)
                    .DistinctBy(point => point.Value.Text),
            ];
            if (points.Length > 1) yield return new(model.Model, same.Key, points);
        }
    }

    /// <param name="Point">The point.</param>
    /// <param name="Parts">What its name says of each other axis; null of one that means nothing for it, as granularity does for a cache of
    /// 16 bits.</param>
    private sealed record Candidate(AblationPoint Point, IReadOnlyList<string?> Parts)
    {
        public string Others { get; } = string.Join('-', Parts.Where(part => !string.IsNullOrEmpty(part)));

        // What means nothing for it is as any other has it.
        public bool GoesWith(Candidate other) => Parts.Zip(other.Parts).All(pair => pair.First is null || pair.First == pair.Second);
    }
}
