using KvPareto.Testing;

namespace KvPareto.Cli.Tests.Commands;

public class ScoreCommandTests
{
    private const string Chinese = """{"task": "multifieldqa_zh", "prediction": "北京大学的学生", "answers": ["北京大学学生"]}""";

    private const string Model =
        """{"start": {"B": -1, "E": -9, "M": -9, "S": -1}, "transition": {"B": {}, "E": {}, "M": {}, "S": {}}, "emission": {"B": {}, "E": {}, "M": {}, "S": {}}}""";

    [Fact]
    public void ChineseRows_AreScoredWithJiebasFolder()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("rows.jsonl", Chinese);
        folder.Write("jieba/dict.txt", "北京大学 2\n学生 3\n");
        folder.Write("jieba/hmm.json", Model);
        var run = CommandRun.Of("score", file, "--jieba", folder["jieba"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal(
            ["      1  multifieldqa_zh         0.8000", "", "task                    rows    score",
                "multifieldqa_zh            1    80.00"],
            run.Output.TrimEnd().ReplaceLineEndings("\n").Split('\n'));
    }

    [Fact]
    public void ChineseRows_AreRefusedWithoutIt()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("rows.jsonl", Chinese);
        Refuses($"{file}:1: field 'task' is 'multifieldqa_zh', which is scored on the words that jieba makes; allowed: with --jieba "
            + "naming a folder with jieba's dict.txt and hmm.json", file);
        Refuses("jieba: 'none' is no folder; allowed: a folder with jieba's dict.txt and hmm.json", file, "--jieba", "none");

        static void Refuses(string expected, params string[] arguments)
        {
            var run = CommandRun.Of(["score", .. arguments]);
            Assert.Equal((2, $"kvpareto: {expected}"), (run.Code, run.Error.TrimEnd()));
        }
    }
}
