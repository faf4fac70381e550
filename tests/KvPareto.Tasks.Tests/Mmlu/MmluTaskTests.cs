using KvPareto.Tasks.Mmlu;
using KvPareto.Tasks.Predictions;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Tests.Mmlu;

public class MmluTaskTests
{
    private const string Header = "question,choice0,choice1,choice2,choice3,answer\n";
    private const string Test = Header + "\" Which is\nfar? \",Sun,Moon,\"Mars, red\",Sea,0\nWho?,a,b,c,d,3\n";
    private const string Dev = Header + "One?,1,2,3,4,0\nTwo?,1,2,3,4,1\nThree?,1,2,3,4,2\n\"Four\n?\",1,2,3,4,3\nFive?,5,6,7,8,0\n";

    [Fact]
    public void Prompt_IsTheHarnesss()
    {
        using var folder = new ScratchFolder();
        var context = ByteTokenizer.Context(folder, 4000, chat: true); // of which nothing is seen
        var task = new MmluTask(Folder(folder) with { Shots = 1, Subjects = ["world_religions"] });
        var sample = task.Prepare(context)[0];
        Assert.Equal(
            "The following are multiple choice questions (with answers) about world religions.\n\n"
            + "One?\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer: A\n\n"
            + "Which is\nfar?\nA. Sun\nB. Moon\nC. Mars, red\nD. Sea\nAnswer:",
            context.Tokenizer.Decode(sample.PromptIds));
        Assert.Equal((SampleKind.Rate, 0, ByteTokenizer.Bos), (sample.Kind, sample.MaxNewTokens, sample.PromptIds[0]));
        Assert.Equal([[' ', 'A'], [' ', 'B'], [' ', 'C'], [' ', 'D']], sample.Continuations.Select(ids => ids.Select(id => (char)id)));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(5, 6)]
    public void Shots_AreTheFirstExamples(int shots, int questions)
    {
        using var folder = new ScratchFolder();
        var context = ByteTokenizer.Context(folder, 4000);
        var text = context.Tokenizer.Decode(new MmluTask(Folder(folder) with { Shots = shots }).Prepare(context)[1].PromptIds);
        Assert.StartsWith(
            "The following are multiple choice questions (with answers) about astronomy.\n\n", text, StringComparison.Ordinal);
        Assert.Equal(questions, text.Split("\nAnswer:").Length - 1);
    }

    [Fact]
    public void Samples_AreScoredByTheLikeliestChoice_AndBySubject()
    {
        using var folder = new ScratchFolder();
        var task = new MmluTask(Folder(folder));
        var samples = task.Prepare(ByteTokenizer.Context(folder, 4000));
        Assert.Equal(["astronomy-0", "astronomy-1", "world_religions-0", "world_religions-1"], samples.Select(sample => sample.Id));
        Assert.Equal(["A", "D", "A", "D"], samples.Select(sample => sample.Answers[0]));
        Assert.Equal(1, task.Score(samples[0], Rated(-1, -1, -2, -3))); // the first of equals
        Assert.Equal(0, task.Score(samples[1], Rated(-1.5, -1, -2, -1)));
        Assert.Equal(1, task.Score(samples[1], Rated(-1.5, -1, -2, -0.99999999999999)));
        Assert.Equal(new Dictionary<string, double> { ["world_religions"] = 1 }, task.Parts(samples[2], Rated(-1, -2, -3, -4)));
        Assert.Throws<FormatException>(() => task.Score(samples[0], Rated(1, 2, 3)));
        Assert.Throws<FormatException>(() => task.Score(samples[0], new TextPrediction("A")));
        Assert.Empty(new MmluTask(Folder(folder) with { Subjects = ["astronomy"] }).Parts(samples[0], Rated(-1, -2, -3, -4)));
    }

    private static LikelihoodPrediction Rated(params double[] values) => new(values);

    [Fact]
    public void Digest_FollowsWhatScoresDependOn()
    {
        using var folder = new ScratchFolder();
        var options = Folder(folder);
        var digests = new[] { options, options with { Shots = 4 }, options with { Limit = 1 }, options with { Subjects = ["astronomy"] } }
            .Select(each => new MmluTask(each).Digest).ToList();
        folder.Write("mmlu/dev/astronomy_dev.csv", Dev.Replace("One", "Uno", StringComparison.Ordinal));
        digests.Add(new MmluTask(options).Digest);
        Assert.Equal(5, digests.Distinct().Count());

        // The other form of the same rows is the same task.
        folder.Write("mmlu/dev/astronomy_dev.csv", Dev[Header.Length..].Replace(",3,4,0", ",3,4,A", StringComparison.Ordinal)
            .Replace(",3,4,1", ",3,4,B", StringComparison.Ordinal).Replace(",3,4,2", ",3,4,C", StringComparison.Ordinal)
            .Replace(",3,4,3", ",3,4,D", StringComparison.Ordinal).Replace("7,8,0", "7,8,A", StringComparison.Ordinal));
        Assert.Equal(digests[0], new MmluTask(options).Digest);
    }

    [Fact]
    public void Folder_MustHaveTheSubjectsAndExamples()
    {
        using var folder = new ScratchFolder();
        var options = Folder(folder);
        Refuses(options with { Subjects = ["astronomy", "../../etc"] }, "task mmlu: key 'subjects' has '../../etc'",
            "allowed: astronomy, world_religions");
        Refuses(options with { Folder = folder.Root }, "task mmlu: key 'folder'", "allowed: a folder with test/SUBJECT_test.csv");
        Directory.CreateDirectory(Path.Combine(folder.Root, "test"));
        Refuses(options with { Folder = folder.Root }, "task mmlu: key 'folder'", "has no subject");
        var dev = folder.Write("mmlu/dev/astronomy_dev.csv", Header + "One?,1,2,3,4,0\n");
        Refuses(options, dev, "has 1 row; allowed: at least the task's 5 shots");
        File.Delete(dev);
        Refuses(options, dev, "no such file");
        Assert.Equal(4, new MmluTask(options with { Shots = 0 }).Prepare(ByteTokenizer.Context(folder, 4000)).Count);
    }

    [Fact]
    public void Options_AreCheckedByKey()
    {
        var fine = new MmluOptions { Folder = "f" };
        fine.Validate();
        Refuses(fine with { Folder = "" }, "task mmlu: key 'folder'", "allowed:");
        Refuses(fine with { Shots = 6 }, "task mmlu: key 'shots' is 6", "0 to 5");
        Refuses(fine with { Limit = 0 }, "task mmlu: key 'limit' is 0", "1 or more");
        Refuses(fine with { Subjects = [] }, "task mmlu: key 'subjects' is empty", "at least one");
        Refuses(fine with { Subjects = ["a", "b", "a"] }, "task mmlu: key 'subjects' has 'a' twice", "each once");
    }

    private static MmluOptions Folder(ScratchFolder folder)
    {
        foreach (var part in new[] { "test", "dev" }) Directory.CreateDirectory(Path.Combine(folder.Root, "mmlu", part));
        foreach (var subject in new[] { "world_religions", "astronomy" })
        {
            folder.Write($"mmlu/test/{subject}_test.csv", Test);
            folder.Write($"mmlu/dev/{subject}_dev.csv", Dev);
        }
        return new() { Folder = Path.Combine(folder.Root, "mmlu") };
    }

    private static void Refuses(MmluOptions options, string start, string expected)
    {
        var error = Assert.Throws<ConfigException>(() => new MmluTask(options));
        Assert.StartsWith(start, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
