using System.Globalization;
using System.Text.RegularExpressions;
using KvPareto.Tasks.Metrics;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Ruler;

/// <summary>
/// A task of RULER (Hsieh et al., 2024, arXiv 2404.06654), made at any length with its prompts, limits and scores. Three things differ:
/// words are of a list of this program, sentences are told apart by their stops, and the random choices are this program's, so that
/// questions are of the same kinds but not the same ones; and a prompt is filled to the last unit (a word, a sentence, a needle) that fits,
/// where RULER adds five to five hundred at a time.
/// </summary>
internal sealed class RulerTask : TextTask
{
    private const string Version = "ruler/1";

    private readonly RulerOptions _options;
    private readonly RulerKind _kind;
    private readonly RulerGenerator _generator;
    private readonly int _newTokens;

    /// <summary>Reads the haystack, where the kind takes one.</summary>
    /// <exception cref="ConfigException">An option is not allowed, or the haystack cannot be read.</exception>
    public RulerTask(RulerOptions options)
    {
        options.Validate();
        (_options, _kind) = (options, RulerKind.Of(options.Kind));
        _newTokens = options.MaxNewTokens ?? _kind.NewTokens;
        string[] essay = _kind.NeedsEssay ? Words(options) : [];
        _generator = _kind.Generator(options.Length, essay);
        using var digest = new TaskDigest();
        Digest = digest.Add(Version).Add(options.Kind).Add(options.Length).Add(options.Samples).Add(options.Seed).Add(options.Chat ? 1 : 0)
            .Add(_newTokens).Add(string.Join(' ', essay)).Finish();
    }

    /// <summary>All that is asked for counts, in equal shares. Of RULER's questions on documents, which are not made here, one answer is
    /// enough; lm-evaluation-harness, whose names the aliases are, scores its own otherwise.</summary>
    internal static IReadOnlyList<StoredScore> StoredScores { get; } =
    [
        .. RulerKind.All.Select(kind =>
            new StoredScore(kind.Name, (stored, _) => StringMatch.All(stored.Text, stored.Answers)) { Alias = "ruler_" + kind.Name }),
        .. new[] { "qa_1", "qa_2" }.Select(name =>
            new StoredScore(name, (stored, _) => StringMatch.Any(stored.Text, stored.Answers))),
    ];

    /// <summary><c>ruler:</c> and the kind.</summary>
    public override string Name => "ruler:" + _kind.Name;

    /// <summary>SHA-256 (hex) over all that the questions are made of; the prompts depend on the model's tokenizer besides.</summary>
    public override string Digest { get; }

    /// <inheritdoc/>
    /// <exception cref="ConfigException">The length does not hold the question, or there is too little material for it.</exception>
    public override IReadOnlyList<TaskSample> Prepare(PromptContext context) =>
        [.. Enumerable.Range(0, _options.Samples).Select(index => Prepare(context, index))];

    /// <inheritdoc/>
    public override double Score(TaskSample sample, string prediction) => StringMatch.All(prediction, sample.Answers);

    private TaskSample Prepare(PromptContext context, int index)
    {
        var ids = LongestFit.Find(
            _generator.LeastSize, _generator.MostSize, _options.Length - _newTokens, size => Encode(context, Make(index, size)));
        return new()
        {
            Id = index.ToString(CultureInfo.InvariantCulture),
            PromptIds = ids ?? throw TooShort(context),
            MaxNewTokens = _newTokens,
            Answers = Make(index, _generator.LeastSize).Answers,
        };
    }

    private RulerPrompt Make(int index, int size) => _generator.Make(
        stream => new((ulong)_options.Seed, (ulong)index, stream, (ulong)_kind.Name.Sum(letter => (long)letter)), size);

    private int[] Encode(PromptContext context, RulerPrompt prompt) =>
        PromptText.Encode(context, prompt.Text, _options.Chat, prompt.AnswerPrefix);

    private ConfigException TooShort(PromptContext context)
    {
        var least = Enumerable.Range(0, _options.Samples).Max(index => Encode(context, Make(index, _generator.LeastSize)).Length);
        return RulerOptions.Mistake("length",
            $"is {_options.Length}; allowed for {_kind.Name} in this model's tokens: {least + _newTokens} or more, {_newTokens} of them "
                + "for the answer");
    }

    private static string[] Words(RulerOptions options)
    {
        // Over twice what prose needs, so that a big folder is not read whole.
        const int CharactersPerToken = 16;
        var most = (int)Math.Min(int.MaxValue, (long)options.Length * CharactersPerToken);
        var text = Haystack.Read(options.Haystack!, most, "task ruler: key 'haystack'");
        string[] words = [.. Regex.Split(text, @"\s+").Where(word => word.Length > 0)];
        return words.Length > 0 ? words : throw RulerOptions.Mistake("haystack", $"names '{options.Haystack}', which has no words");
    }
}
