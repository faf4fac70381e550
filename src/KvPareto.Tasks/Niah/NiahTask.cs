using System.Globalization;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Niah;

/// <summary>
/// Needle in a haystack (after github.com/gkamradt/LLMTest_NeedleInAHaystack): one sentence hidden in a long text at each of a grid of
/// lengths and depths, in the prompt of <see cref="Needle.PromptOver"/>. The score is the share of the needle's key phrases that the
/// answer holds; <see cref="TaskSample.Answers"/> are those phrases, all of which count.
/// </summary>
/// <remarks>
/// Where the needle goes: of a haystack of n tokens the first int(n · depth / 100) come before it, less those after the last full stop
/// among them; without a full stop it goes to the very front, and at depth 100 to the very end. A token is a full stop if its text ends
/// with '.', white space aside (the original takes only the token that "." alone encodes to, which some vocabularies never use within a
/// text). The haystack is as long as the wanted prompt length allows; a text too short for that is repeated.
/// </remarks>
internal sealed class NiahTask : TextTask
{
    /// <summary>The task's name where a config gives none.</summary>
    public const string DefaultName = "niah";

    /// <summary>Characters read per token wanted: over twice what prose needs, so that a big folder is not read whole.</summary>
    private const int CharactersPerToken = 16;

    private readonly NiahOptions _options;
    private readonly string _text;

    /// <summary>Answers are key phrases.</summary>
    internal static IReadOnlyList<StoredScore> StoredScores { get; } =
        [new(DefaultName, (stored, _) => Needle.Score(stored.Text, stored.Answers))];

    /// <summary>Reads the haystack.</summary>
    /// <exception cref="ConfigException">An option is not allowed, or the haystack cannot be read.</exception>
    public NiahTask(NiahOptions options)
    {
        options.Validate();
        _options = options;
        _text = Haystack.Read(options.Folder, options.Lengths.Max() * CharactersPerToken);
        Digest = ComputeDigest();
    }

    /// <inheritdoc/>
    public override string Name => DefaultName;

    /// <inheritdoc/>
    public override string Digest { get; }

    /// <inheritdoc/>
    /// <exception cref="ConfigException">A length is over the model's limit, or too short for the question.</exception>
    public override IReadOnlyList<TaskSample> Prepare(PromptContext context)
    {
        var longest = _options.Lengths.Max();
        if (longest > context.MaxPromptTokens)
            throw new ConfigException(
                $"task niah: key 'lengths' has {longest}; the model has room for prompts of up to {context.MaxPromptTokens} tokens");
        var haystack = new HaystackTokens(context.Tokenizer, _text, longest);
        return
        [
            .. from needle in _options.Needles
               from length in _options.Lengths
               from depth in _options.Depths
               select Prepare(context, haystack, needle, length, depth),
        ];
    }

    /// <inheritdoc/>
    public override double Score(TaskSample sample, string prediction) => Needle.Score(prediction, sample.Answers);

    private TaskSample Prepare(PromptContext context, HaystackTokens haystack, Needle needle, int length, double depth) => new()
    {
        Id = string.Create(CultureInfo.InvariantCulture, $"{needle.Name}-{length}-{depth}"),
        Part = length.ToString(CultureInfo.InvariantCulture),
        PromptIds = Fit(length, count => PromptText.Encode(context, needle.PromptOver(haystack.WithNeedle(count, depth, needle.Text)))),
        MaxNewTokens = _options.MaxNewTokens,
        Answers = needle.KeyPhrases,
    };

    /// <summary>
    /// The longest prompt of at most <paramref name="length"/> tokens that a few tries find: tokens can join where the haystack is cut,
    /// so that its count alone doesn't give the prompt's.
    /// </summary>
    private static int[] Fit(int length, Func<int, int[]> build)
    {
        const int maxTries = 8;
        var best = build(0);
        if (best.Length > length)
            throw new ConfigException($"task niah: key 'lengths' has {length}; question and needle alone take {best.Length} tokens");
        var count = length - best.Length;
        for (var tries = 0; tries < maxTries && best.Length < length && count > 0; tries++)
        {
            var ids = build(count);
            if (ids.Length <= length && ids.Length > best.Length) best = ids;
            if (ids.Length <= length && tries > 0) break;
            count = Math.Min(length, count + length - ids.Length);
        }
        return best;
    }

    private string ComputeDigest()
    {
        using var digest = new TaskDigest();
        digest.Add("niah/1").Add(_text).Add(_options.MaxNewTokens);
        digest.Add([.. _options.Lengths.Select(length => length.ToString(CultureInfo.InvariantCulture))]);
        digest.Add([.. _options.Depths.Select(depth => depth.ToString("R", CultureInfo.InvariantCulture))]);
        foreach (var needle in _options.Needles) digest.Add(needle.Name).Add(needle.Text).Add(needle.Question).Add(needle.KeyPhrases);
        return digest.Finish();
    }
}
