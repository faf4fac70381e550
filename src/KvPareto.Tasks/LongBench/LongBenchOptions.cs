using KvPareto.Text.Input;

namespace KvPareto.Tasks.LongBench;

/// <summary>What a config may say of a LongBench task.</summary>
public sealed record LongBenchOptions
{
    /// <summary>Smallest prompt that middle truncation can make: one token from each end.</summary>
    internal const int SmallestMaxLength = 2;

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

    /// <summary>Name in results; null for the data set's, or "longbench" where the file mixes several. Key <c>name</c>.</summary>
    public string? Name { get; init; }

    /// <summary>Checks what can be checked without the file.</summary>
    /// <exception cref="ConfigException">Names the key and what is allowed.</exception>
    public void Validate()
    {
        if (string.IsNullOrWhiteSpace(File)) throw new ConfigException("task longbench: key 'file' must name a JSON Lines file");
        AtLeast("limit", Limit, 1);
        AtLeast("max_length", MaxLength, SmallestMaxLength);
        AtLeast("max_new_tokens", MaxNewTokens, 1);
        if (Name is not null && string.IsNullOrWhiteSpace(Name)) throw new ConfigException("task longbench: key 'name' must not be empty");
    }

    private static void AtLeast(string key, int? value, int least)
    {
        if (value < least)
            throw new ConfigException($"task longbench: key '{key}' is {value}; allowed are whole numbers of at least {least}");
    }
}
