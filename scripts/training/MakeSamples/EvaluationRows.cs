using System.Text;
using KvPareto.Tasks.Synthetic;

namespace MakeSamples;

/// <summary>Writes held-out samples as LongBench rows; the prompts that the tool makes of them go into a second file.</summary>
internal static class EvaluationRows
{
    /// <summary>Writes the rows of one task, and <c>FILE.jsonl.prompts</c>: each prompt, U+001F, the reply, U+001E.</summary>
    public static void Write(string kind, int seed, int count, int length, string file)
    {
        var options = new SyntheticOptions { Kind = SyntheticOptions.ParseKind(kind), Seed = seed, Count = count, Length = length };
        using var rows = new StreamWriter(file, append: false, new UTF8Encoding(false));
        using var prompts = new StreamWriter(file + ".prompts", append: false, new UTF8Encoding(false));
        foreach (var sample in SyntheticSample.Generate(options))
        {
            rows.Write(sample.ToJson());
            rows.Write('\n');
            prompts.Write(sample.Prompt);
            prompts.Write('\u001f');
            prompts.Write(sample.Reply);
            prompts.Write('\u001e');
        }
    }
}
