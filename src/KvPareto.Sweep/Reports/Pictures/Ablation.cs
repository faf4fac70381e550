using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>A point of an ablation: a measured setting and its value on the axis that varies.</summary>
internal sealed record AblationPoint(FrontierPoint Point, AxisValue Value);

/// <summary>Settings of one model that differ on one axis alone, and on those that mean nothing at 16 bits.</summary>
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
        FigureAxis[] others = [.. OtherAxes(axis)];
        Member[] members =
        [
            .. from point in model.Points
               let setting = FrontierAnalysis.SettingOf(point.Trial)
               where setting is not null
               let value = axis.ValueOf(setting)
               where value is not null
               select new Member(
                   new(point, value.Value), Array.ConvertAll(others, other => other.PartOf(setting)),
                   Array.ConvertAll(others, other => other.ValueOf(setting) is null)),
        ];
        foreach (var group in members.GroupBy(member => member.Name).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            AblationPoint[] points =
            [
                .. members.Where(member => member.Joins(group.First())).Select(member => member.Point)
                    .OrderBy(point => point.Value.Order).ThenBy(point => point.Value.Text, StringComparer.Ordinal)
                    .DistinctBy(point => point.Value.Text),
            ];
            if (points.Length > 1) yield return new(model.Model, group.Key, points);
        }
    }

    private static IEnumerable<FigureAxis> OtherAxes(FigureAxis axis) =>
        FigureAxis.All.Select(choice => choice[0]).Where(other => other.Place != axis.Place).OrderBy(other => other.Place);

    /// <summary>A setting that has a value on the axis, with what it is on the others.</summary>
    /// <param name="Point">The setting and its value.</param>
    /// <param name="Parts">What names say of each other axis.</param>
    /// <param name="IsFree">Whether each means nothing for it: a cache at 16 bits has no granularity that could differ, and stands beside
    /// coded ones of each.</param>
    private sealed record Member(AblationPoint Point, string[] Parts, bool[] IsFree)
    {
        public string Name { get; } = string.Join('-', Parts.Where(part => part.Length > 0));

        // Asked of every two settings.
        public bool Joins(Member other)
        {
            for (var i = 0; i < Parts.Length; i++)
                if (!IsFree[i] && Parts[i] != other.Parts[i]) return false;
            return true;
        }
    }
}
