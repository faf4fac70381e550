using KvPareto.Tasks.Gsm8k;

namespace KvPareto.Sweep.Config;

/// <summary>One task of a config; what each value means is said by the task's own options.</summary>
/// <param name="Name">The name given to it, or null for the task's own.</param>
/// <param name="Place">File, line and key, for messages.</param>
internal abstract record TaskEntry(string? Name, string Place);

/// <summary>Synthetic questions that the embedded models were trained to answer.</summary>
internal sealed record EmbeddedTaskEntry(string? Name, string Place, string Kind, int Samples, int Length, int Seed)
    : TaskEntry(Name, Place);

/// <summary>Rows of a LongBench file.</summary>
internal sealed record LongBenchTaskEntry(
    string? Name, string Place, string File, int? Limit, int? MaxLength, int? MaxNewTokens, string? Jieba)
    : TaskEntry(Name, Place);

/// <summary>Questions of GSM8K; a null stands for the task's default.</summary>
internal sealed record Gsm8kTaskEntry(
    string? Name,
    string Place,
    string File,
    string? ShotsFile,
    int? Shots,
    Gsm8kFormat Format,
    bool Chat,
    int? Limit,
    int? MaxNewTokens)
    : TaskEntry(Name, Place);

/// <summary>Questions of MMLU; a null stands for the task's default.</summary>
internal sealed record MmluTaskEntry(string? Name, string Place, string Folder, IReadOnlyList<string>? Subjects, int? Shots, int? Limit)
    : TaskEntry(Name, Place);

/// <summary>Windows of a text, compared with the unquantized model; a null stands for the task's default.</summary>
internal sealed record FidelityTaskEntry(string? Name, string Place, string Text, int? Tokens, int? Window) : TaskEntry(Name, Place);

/// <summary>Needles in a haystack, on a grid of lengths and depths; a null stands for the task's default.</summary>
internal sealed record NiahTaskEntry(
    string? Name,
    string Place,
    string Folder,
    IReadOnlyList<int> Lengths,
    IReadOnlyList<double>? Depths,
    IReadOnlyList<string>? Needles,
    int? MaxNewTokens)
    : TaskEntry(Name, Place);
