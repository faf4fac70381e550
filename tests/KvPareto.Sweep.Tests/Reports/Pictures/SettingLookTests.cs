using KvPareto.Engine.Settings;
using KvPareto.Sweep.Reports.Pictures;

namespace KvPareto.Sweep.Tests.Reports.Pictures;

public class SettingLookTests
{
    [Theory]
    [InlineData("Granularity", "w16a16-k4v4-t32-c256", "w16a16-k4v4-t64-c256", "w16a16-k4v4-kch32-vt64-c256", "w16a16-k4v4-tensor-c256")]
    [InlineData("Chunk", "w16a16-k4v4-t64-c64", "w16a16-k4v4-t64-c256", "w16a16-k4v4-t64-c1024", "w16a16-k4v4-t64")]
    [InlineData("Before coding", "w16a16-k4v4-t64", "w16a16-k4v4-t64-smooth", "w16a16-k4v4-t64-rotk", "w16a16-k4v4-t64-smooth-rotkv")]
    [InlineData("Weights", "w4g32a16-k8v8-t64", "w4g64a16-k8v8-t64", "w4a16-k8v8-t64", "w4a16-e8-k8v8-t64")]
    [InlineData("Weights", "w16a16-k8v8-t64", "w4a16-k8v8-t64", "awq4g128a16-k8v8-t64", "q4_1a16-k8v8-t64", "q8_0a16-k8v8-t64")]
    [InlineData("Weights", "awq4g64a16-k8v8-t64", "awq4g128a16-k8v8-t64", "awq4g128a16-e8-k8v8-t64")]
    [InlineData("KV cache", "w16a16-k4v4-t64", "w16a16-k4v8-t64", "w16a16-k8v4-t64", "w16a16-k16v4-t64")]
    public void Colours_FollowTheOneAxisThatVaries(string title, params string[] names)
    {
        var settings = names.Select(InferenceSetting.Parse).ToList();
        var look = new SettingLook(settings, settings);
        Assert.Equal(title, look.Colors!.Value.Title);
        Assert.Null(look.Shapes);
        Assert.Equal(names.Length, settings.Select(look.ColorOf).Distinct().Count());
        Assert.Equal(names.Length, settings.Select(setting => look.LabelOf(setting.Name, setting)).Distinct().Count());
    }

    [Fact]
    public void Shapes_FollowTheSecondAxisThatVaries()
    {
        var settings = Parse("w16a16-k4v4-t32-c64", "w16a16-k4v4-t32-c256", "w16a16-k4v4-t64-c64", "w16a16-k4v4-t64-c256");
        var look = new SettingLook(settings, settings);
        Assert.Equal(("Granularity", "Chunk"), (look.Colors!.Value.Title, look.Shapes!.Value.Title));
        Assert.Equal(["64", "256"], look.Shapes.Value.Values.Select(value => value.Text));
        Assert.Equal(4, settings.Select(setting => (look.ColorOf(setting), look.ShapeOf(setting))).Distinct().Count());
    }

    [Fact]
    public void Colours_AreThoseOfTheLegend()
    {
        var settings = Parse("w16a16-k8v8-t64", "w16a16-k4v4-t64", "w16a16-k4v2-t64", "w16a16-k2v2-t64");
        var look = new SettingLook(settings, settings);
        Assert.Equal(["8 bits", "4 bits", "2 bits"], look.Colors!.Value.Values.Select(value => value.Text));
        Assert.Equal(Look.NoValue, look.ColorOf(InferenceSetting.Parse("w16a16-k16v16")));
    }

    [Fact]
    public void Labels_LeaveOutWhatAllShare()
    {
        var settings = Parse("w16a16-k16v16-c256", "w16a16-k8v4-t64-c256", "w4g64a16-k4v4-t64-smooth-c256");
        var look = new SettingLook(settings, settings);
        Assert.Equal(["w16-k16v16", "w16-k8v4", "w4g64-k4v4-smooth"], settings.Select(setting => look.LabelOf(setting!.Name, setting)));
        Assert.Equal("t64-c256", look.Common);
    }

    [Fact]
    public void Look_OfNothingAndOfOneSettingNamesItWhole()
    {
        var setting = InferenceSetting.Parse("w4a16-k8v4-t64-c256");
        Assert.Equal(setting.Name, new SettingLook([setting], [setting]).LabelOf(setting.Name, setting));
        Assert.Equal("of another version", new SettingLook([], []).LabelOf("of another version", null));
        Assert.Equal(PointShape.Circle, new SettingLook([], []).ShapeOf(null));
    }

    private static List<InferenceSetting?> Parse(params string[] names) => [.. names.Select(InferenceSetting.Parse)];
}
