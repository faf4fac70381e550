using KvPareto.Sweep.Config;
using KvPareto.Sweep.Trials;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Trials;

public class SweepTaskTests
{
    [Fact]
    public void ChineseRows_TakeTheFolderThatTheConfigNames()
    {
        using var folder = new ScratchFolder();
        folder.Write("rows.jsonl", """{"input": "", "context": "x", "answers": ["北京"], "dataset": "dureader", "all_classes": null, "_id": "r1"}""");
        Assert.Contains("rows.jsonl:1: field 'dataset' is 'dureader'", Refusal(""), StringComparison.Ordinal);
        Directory.CreateDirectory(folder["words"]);
        Assert.StartsWith(
            $"{folder[Path.Combine("words", "dict.txt")]}: no such file", Refusal(", jieba: words"), StringComparison.Ordinal);

        string Refusal(string jieba)
        {
            var yaml = $"models: [{{name: here, path: "
                + $".}}]\ntasks: [{{task: longbench, file: rows.jsonl{jieba}}}]\naxes: {{cache: [k8v8]}}\n";
            var config = SweepConfigReader.Read("my.yaml", yaml, folder.Root, []);
            return Assert.Throws<ConfigException>(() => SweepTask.Of(config)).Message;
        }
    }
}
