using System.Globalization;
using System.Text.RegularExpressions;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Niah;

/// <summary>What a config may say of a needle-in-a-haystack task. A sample is one needle at one length and one depth.</summary>
internal sealed partial record NiahOptions : TaskOptions
{
    /// <summary>Keys as a config may have them.</summary>
    internal const string Example = "folder: PATH, lengths: […], …";

    private const string FolderWords = "a folder of text files, or one text file";
    private const string LengthWords = "a list of prompt lengths in tokens";
    private const string DepthWords = "a list of depths in percent, 0 to 100";
    private const int DefaultNewTokens = 32;
    private const int MinLength = 64;
    private const int MaxLength = 1 << 20;
    private const int MaxSamples = 10_000;

    /// <summary>Folder whose <c>.txt</c> files are joined in ordinal order of their names, or one text file. Key <c>folder</c>.</summary>
    public required string Folder { get; init; }

    /// <summary>Lengths of the whole prompt in tokens, chat template and question included; required. Key <c>lengths</c>.</summary>
    public required IReadOnlyList<int> Lengths { get; init; }

    /// <summary>Depths of the needle in percent of the haystack. Key <c>depths</c>.</summary>
    public IReadOnlyList<double> Depths { get; init; } = [0, 25, 50, 75, 100];

    /// <summary>Needles, each tried at every length and depth. Key <c>needles</c>, names of <see cref="Needle.BuiltIn"/>.</summary>
    public IReadOnlyList<Needle> Needles { get; init; } = [Needle.Sandwich];

    /// <summary>Limit on new tokens. Key <c>max_new_tokens</c>.</summary>
    public int MaxNewTokens { get; init; } = DefaultNewTokens;

    /// <summary>Reads a task of a config.</summary>
    internal static NiahOptions Read(TaskSection section)
    {
        section.Allow("folder", "lengths", "depths", "needles", "max_new_tokens");
        string[] names = [.. Needle.BuiltIn.Select(needle => needle.Name)];
        var needleWords = $"a list of {string.Join(", ", names)}";
        var options = new NiahOptions
        {
            Folder = section.FileOrFolder("folder", FolderWords),
            Lengths = section.Lengths(LengthWords, MinLength, MaxLength),
            MaxNewTokens = section.Find("max_new_tokens")?.Integer(1, TaskSection.MostTokens) ?? DefaultNewTokens,
        };
        return options with
        {
            Depths = section.Find("depths") is { } depths
                ? [.. depths.List(DepthWords).Select(item => item.Number(0, 100))] : options.Depths,
            Needles = section.Find("needles") is { } needles
                ? [.. needles.List(needleWords).Select(item => Needle.Named(item.Word(names)))] : options.Needles,
        };
    }

    /// <inheritdoc/>
    public override EvaluationTask Create() => new NiahTask(this);

    /// <inheritdoc/>
    public override TaskOptions AtLength(int tokens) => this with { Lengths = [tokens] };

    /// <inheritdoc/>
    public override void Validate()
    {
        if (string.IsNullOrWhiteSpace(Folder)) throw Mistake("folder", "must name a folder of .txt files or one text file");
        if (MaxNewTokens < 1) throw Mistake("max_new_tokens", $"is {MaxNewTokens}; allowed are whole numbers of at least 1");
        CheckList(
            "lengths", Lengths, length =>
                length is >= MinLength and <= MaxLength, $"whole numbers of tokens from {MinLength} to {MaxLength}");
        CheckList("depths", Depths, depth => depth is >= 0 and <= 100, "numbers of percent from 0 to 100");
        CheckList(
            "needles", [.. Needles.Select(needle => needle.Name)], name =>
                NeedleName().IsMatch(name), "names of letters, digits, '-' and '_'");
        foreach (var needle in Needles)
        {
            if (string.IsNullOrWhiteSpace(needle.Text) || string.IsNullOrWhiteSpace(needle.Question) || needle.KeyPhrases.Count == 0
                || needle.KeyPhrases.Any(string.IsNullOrWhiteSpace))
                throw Mistake("needles", $"has '{needle.Name}' without text, question or key phrases");
        }
        var samples = (long)Lengths.Count * Depths.Count * Needles.Count;
        if (samples > MaxSamples)
            throw Mistake("lengths", $"times depths times needles makes {samples} samples; allowed are up to {MaxSamples}");
    }

    private static void CheckList<T>(string key, IReadOnlyList<T> values, Func<T, bool> isAllowed, string allowed)
    {
        if (values.Count == 0) throw Mistake(key, $"is empty; allowed are {allowed}");
        foreach (var value in values.Where(value => !isAllowed(value)))
            throw Mistake(key, string.Create(CultureInfo.InvariantCulture, $"has {value}; allowed are {allowed}"));
        if (values.Distinct().Count() < values.Count) throw Mistake(key, "has a value twice");
    }

    private static ConfigException Mistake(string key, string problem) => new($"task niah: key '{key}' {problem}");

    [GeneratedRegex(@"\A[A-Za-z0-9_-]+\z")]
    private static partial Regex NeedleName();
}
