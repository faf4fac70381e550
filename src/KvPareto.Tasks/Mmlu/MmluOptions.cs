using KvPareto.Text.Input;

namespace KvPareto.Tasks.Mmlu;

/// <summary>What a config may say of an MMLU task.</summary>
internal sealed record MmluOptions : TaskOptions
{
    /// <summary>Most examples of a prompt: as many as the data set has of a subject.</summary>
    public const int MostShots = 5;

    /// <summary>Keys as a config may have them.</summary>
    internal const string Example = "folder: PATH, …";

    internal const string FolderWords = "a folder with test/SUBJECT_test.csv and dev/SUBJECT_dev.csv";
    private const string SubjectWords = "a list of subjects, world_religions for example";

    /// <summary>Folder with <c>test/SUBJECT_test.csv</c> and, where there are examples, <c>dev/SUBJECT_dev.csv</c>; required. Key
    /// <c>folder</c>.</summary>
    public required string Folder { get; init; }

    /// <summary>Subjects as the files are named, <c>world_religions</c>; null for all of the folder. Key <c>subjects</c>.</summary>
    public IReadOnlyList<string>? Subjects { get; init; }

    /// <summary>Examples before each question: the first so many of the subject. Key <c>shots</c>.</summary>
    public int Shots { get; init; } = MostShots;

    /// <summary>Only the first so many questions of each subject; null for all. Key <c>limit</c>.</summary>
    public int? Limit { get; init; }

    /// <summary>Reads a task of a config.</summary>
    internal static MmluOptions Read(TaskSection section)
    {
        section.Allow("folder", "subjects", "shots", "limit");
        return new()
        {
            Folder = section.Folder("folder", FolderWords),
            Subjects = section.Find("subjects") is { } subjects
                ? [.. subjects.List(SubjectWords).Select(item => item.Text(SubjectWords))] : null,
            Shots = section.Find("shots")?.Integer(0, MostShots) ?? MostShots,
            Limit = section.Find("limit")?.Integer(1, TaskSection.MostRows),
        };
    }

    /// <inheritdoc/>
    public override EvaluationTask Create() => new MmluTask(this);

    /// <inheritdoc/>
    public override void Validate()
    {
        if (string.IsNullOrWhiteSpace(Folder)) throw Mistake("folder", "names nothing; allowed: a folder with test/SUBJECT_test.csv");
        if (Shots is < 0 or > MostShots) throw Mistake("shots", $"is {Shots}; allowed: 0 to {MostShots}");
        if (Limit < 1) throw Mistake("limit", $"is {Limit}; allowed: 1 or more");
        if (Subjects is { Count: 0 }) throw Mistake("subjects", "is empty; allowed: at least one subject, or no such key for all");
        if (Subjects?.GroupBy(subject => subject).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw Mistake("subjects", $"has '{twice.Key}' twice; allowed: each once");
    }

    internal static ConfigException Mistake(string key, string problem) => new($"task mmlu: key '{key}' {problem}");
}
