using KvPareto.Tasks.Metrics.Chinese;
using KvPareto.Testing;

namespace KvPareto.Tasks.Tests.Metrics.Chinese;

/// <summary>A dictionary and a model of a few words in jieba's form, made up for these tests.</summary>
internal static class TinyJieba
{
    public const string Dictionary = """
        北京 50 ns
        北京大学 20 nt
        大学 40 n
        大学生 30 n
        学生 35
        生 10 v
        我 100 r
        是 90 v
        的 200 uj
        的是 1 c
        甲 2
        甲乙 2
        乙丙 3
        丙 3
        AT&T 3 nz
        上海自来水 9
        自来水 7 n

        """;

    public const string Model = """
        {"start": {"B": -0.25, "E": -3.14e+100, "M": -3.14e+100, "S": -1.5},
         "transition": {"B": {"E": -0.5, "M": -1}, "E": {"B": -0.625, "S": -0.75}, "M": {"E": -0.25, "M": -1.25}, "S": {"B": -0.75, "S": -0.625}},
         "emission": {"B": {"小": -2, "明": -6, "张": -3, "伟": -9}, "E": {"明": -2, "小": -6, "伟": -3}, "M": {"小": -4, "明": -5},
                      "S": {"小": -7, "明": -7, "和": -1, "张": -5}}}
        """;

    /// <summary>Writes both files and returns the folder's path.</summary>
    public static string Write(ScratchFolder folder, string dictionary = Dictionary, string model = Model)
    {
        folder.Write("dict.txt", dictionary);
        folder.Write("hmm.json", model);
        return folder.Root;
    }

    public static ChineseSegmenter Open()
    {
        using var folder = new ScratchFolder();
        return ChineseSegmenter.Open(Write(folder));
    }
}
