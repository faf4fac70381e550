using KvPareto.Engine.Settings;
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
        var settings = model.Points.Select(point => (Point: point, Setting: FrontierAnalysis.SettingOf(point.Trial)))
            .Where(pair => pair.Setting is not null && axis.ValueOf(pair.Setting) is not null).ToList();
        foreach (var group in settings.GroupBy(pair => Others(pair.Setting!, axis)).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            AblationPoint[] points =
            [
                .. settings.Where(pair => Joins(pair.Setting!, group.First().Setting!, axis))
                    .Select(pair => new AblationPoint(pair.Point, axis.ValueOf(pair.Setting!)!.Value))
                    .OrderBy(point => point.Value.Order).ThenBy(point => point.Value.Text, StringComparer.Ordinal)
                    .DistinctBy(point => point.Value.Text),
            ];
            if (points.Length > 1) yield return new(model.Model, group.Key, points);
        }
    }

    private static string Others(InferenceSetting setting, FigureAxis axis) =>
        string.Join('-', OtherAxes(axis).Select(other => other.PartOf(setting)).Where(part => part.Length > 0));

    // A cache at 16 bits has no granularity that could differ: it stands beside coded ones of each.
    private static bool Joins(InferenceSetting setting, InferenceSetting member, FigureAxis axis) =>
        OtherAxes(axis).All(other => other.ValueOf(setting) is null || other.PartOf(setting) == other.PartOf(member));

    private static IEnumerable<FigureAxis> OtherAxes(FigureAxis axis) =>
        FigureAxis.All.Select(choice => choice[0]).Where(other => other.Place != axis.Place).OrderBy(other => other.Place);
}
