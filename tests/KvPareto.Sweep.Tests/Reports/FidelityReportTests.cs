using KvPareto.Sweep.Fidelity;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Tests.Fidelity;
using KvPareto.Testing;

namespace KvPareto.Sweep.Tests.Reports;

public class FidelityReportTests
{
    private static readonly FidelityRow[] Rows =
    [
        SomeRows.Row("w16a16-k4v4-t64", 4.5, 0.1),
        SomeRows.Row("w16a16-k4v4-t32", 5, 0.0621),
        SomeRows.Row("w4g64a16-k4v4-t64", 4.5, 0.4),
        SomeRows.Row("of-another-version", 5, 0.07),
        SomeRows.Row("w16a16-k32v32", 32, 0),
    ];

    [Fact]
    public void Write_MarksTheFrontier_ByRisingBits()
    {
        using var temp = new ScratchFolder();
        FidelityReport.Write(temp["out"], Rows, [PictureFormat.Png]);
        Assert.Equal(
            """
            model,text,tokens,window,setting,bits_per_element,bytes_per_token,weight_bytes,ppl,reference_ppl,kl_mean,kl_p50,kl_p99,kl_max,top1,ppl_second_half,kl_second_half,frontier
            model,text.txt,512,256,w16a16-k4v4-t64,4.5,180,123456,20.1,20,0.1,0.05,0.9,4,0.904837,18.1,0.06666667,true
            model,text.txt,512,256,w4g64a16-k4v4-t64,4.5,180,123456,20.4,20,0.4,0.2,3.6,16,0.67032,18.4,0.2666667,false
            model,text.txt,512,256,w16a16-k4v4-t32,5,200,123456,20.0621,20,0.0621,0.03105,0.5589,2.484,0.939789,18.0621,0.0414,true
            model,text.txt,512,256,of-another-version,5,200,123456,20.07,20,0.07,0.035,0.63,2.8,0.932394,18.07,0.04666667,false
            model,text.txt,512,256,w16a16-k32v32,32,1280,123456,20,20,0,0,0,0,1,18,0,true

            """,
            File.ReadAllText(temp["out/fidelity.csv"]));
        var table = File.ReadAllLines(temp["out/fidelity.md"]);
        Assert.Equal(2 + Rows.Length, table.Length);
        Assert.Equal("| ★ | `w16a16-k4v4-t64` | 4.500 | 180 | 20.100 | 0.1 | 0.05 | 0.9 | 4 | 90.48 |", table[2]);
    }

    [Fact]
    public void Write_GivesTheSameBytes_WhateverTheOrder()
    {
        using var temp = new ScratchFolder();
        var files = FidelityReport.Write(temp["a"], Rows, [PictureFormat.Png]);
        FidelityReport.Write(temp["b"], [.. Rows.Reverse()], [PictureFormat.Png]);
        Assert.All(files, file => Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(temp[$"b/{Path.GetFileName(file)}"])));
    }

    [Fact]
    public void Write_ComparesSettingsOfOneModel_AndPutsOthersBesideThem()
    {
        using var temp = new ScratchFolder();
        FidelityRow[] rows =
            [.. Rows, SomeRows.Row("w16a16-k2v2-t64", 2.5, 3, model: "other"), SomeRows.Row("w16a16-k4v4-t64", 4.5, 5, model: "other")];
        FidelityReport.Write(temp["out"], rows, [PictureFormat.Svg]);
        Assert.Equal(
            ["model", "model", "model", "model", "model", "other", "other"],
            File.ReadAllLines(temp["out/fidelity.csv"]).Skip(1).Select(line => line.Split(',')[0]));
        var table = File.ReadAllText(temp["out/fidelity.md"]);
        Assert.Contains("\nother, text.txt: 512 tokens in windows of 256\n\n| |", table, StringComparison.Ordinal);
        Assert.Contains("| ★ | `w16a16-k4v4-t64` |", table, StringComparison.Ordinal);
        Assert.Contains("| ★ | `w16a16-k2v2-t64` |", table, StringComparison.Ordinal);
        Assert.Contains("|  | `w16a16-k4v4-t64` |", table, StringComparison.Ordinal);
        Assert.Equal(["model", "other"], new FidelityFigure(FidelityPoint.Of(rows)).Panels().Select(panel => panel.Title));
    }

    [Fact]
    public void Figure_IsNamedByItsRun_OrElseByItsModel()
    {
        var points = FidelityPoint.Of(Rows);
        var (alone, ofRun) = (new FidelityFigure(points), new FidelityFigure(points, "my run"));
        Assert.Equal("model: fidelity against bits of the KV cache", alone.Title);
        Assert.Equal("", alone.Panels().Single().Title);
        Assert.Equal("my run: fidelity against bits of the KV cache", ofRun.Title);
        Assert.Equal("model", ofRun.Panels().Single().Title);
    }
}
