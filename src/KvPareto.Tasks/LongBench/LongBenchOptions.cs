using KvPareto.Tasks.Metrics.Chinese;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.LongBench;

/// <summary>What a config may say of a LongBench task.</summary>
internal sealed record LongBenchOptions : TaskOptions
{
    /// <summary>Keys as a config may have them.</summary>
    internal const string Example = "file: PATH, …";

    private const string FileWords = "a LongBench JSONL file";
    private const int LeastMaxLength = 64;

    /// <summary>JSON Lines file in LongBench's form; required. Key <c>file</c>.</summary>
    public required string File { get; init; }

    /// <summary>Only the first so many rows; null for all. Key <c>limit</c>.</summary>
    public int? Limit { get; init; }

    /// <summary>
    /// LongBench's own <c>max_length</c>: a longer prompt is cut in the middle to so many tokens before the chat template. Null: as many
    /// as leave the whole prompt within the model's limit. Key <c>max_length</c>.
    /// </summary>
    public int? MaxLength { get; init; }

    /// <summary>Limit on new tokens in place of the data set's official one; null for that. Key <c>max_new_tokens</c>.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>
    /// Folder of jieba's <c>dict.txt</c> and <c>hmm.json</c>, read where a row's score is one of Chinese words (multifieldqa_zh, dureader,
    /// vcsum); such rows need it. Key <c>jieba</c>.
    /// </summary>
    public string? Jieba { get; init; }

    /// <summary>Reads a task of a config.</summary>
    internal static LongBenchOptions Read(TaskSection section)
    {
        section.Allow("file", "limit", "max_length", "max_new_tokens", "jieba");
        return new()
        {
            File = section.File("file", FileWords),
            Limit = section.Find("limit")?.Integer(1, TaskSection.MostRows),
            MaxLength = section.Find("max_length")?.Integer(LeastMaxLength, TaskSection.MostTokens),
            MaxNewTokens = section.Find("max_new_tokens")?.Integer(1, TaskSection.MostTokens),
            Jieba = section.FindFolder("jieba", ChineseSegmenter.FolderWords),
        };
    }

    /// <inheritdoc/>
    public override EvaluationTask Create() => new LongBenchTask(this);

    /// <inheritdoc/>
    public override void Validate()
    {
        if (string.IsNullOrWhiteSpace(File)) throw new ConfigException("task longbench: key 'file' must name a JSON Lines file");
        AtLeast("limit", Limit, 1);
        AtLeast("max_length", MaxLength, TruncatedPrompt.SmallestLength);
        AtLeast("max_new_tokens", MaxNewTokens, 1);
    }

    private static void AtLeast(string key, int? value, int least)
    {
        if (value < least)
            throw new ConfigException($"task longbench: key '{key}' is {value}; allowed are whole numbers of at least {least}");
    }
}
