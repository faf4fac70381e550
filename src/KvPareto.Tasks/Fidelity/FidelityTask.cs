using System.Globalization;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Fidelity;

/// <summary>
/// Fidelity as a task of a sweep: its samples are the windows of a text, which are compared with the model's own unquantized run rather
/// than answered. The score is top-1 agreement: the share of positions with the same likeliest token. It orders settings as mean KL does
/// (over the reference values of docs/fidelity.md all pairs but 2 of 861), has the sweep's scale, and says something by itself.
/// All figures are kept as the sample's prediction.
/// </summary>
internal sealed class FidelityTask : ComparisonTask
{
    private readonly FidelityOptions _options;
    private readonly FidelityText _text;

    /// <summary>Reads the text.</summary>
    /// <exception cref="ConfigException">An option is not allowed, or the text cannot be read.</exception>
    public FidelityTask(FidelityOptions options)
    {
        options.Validate();
        _options = options;
        _text = FidelityText.Read(options.File, options.Tokens ?? Math.Max(options.Window, FidelityOptions.DefaultTokens));
        using var digest = new TaskDigest();
        digest.Add("fidelity: top-1").Add(_text.Text).Add(options.Tokens ?? FidelityOptions.DefaultTokens)
            .Add(options.Window).Add(FidelityReference.Setting.Name);
        Digest = digest.Finish();
    }

    /// <inheritdoc/>
    public override string Name => "fidelity";

    /// <inheritdoc/>
    public override string Digest { get; }

    /// <inheritdoc/>
    /// <exception cref="ConfigException">The text has too few tokens.</exception>
    public override IReadOnlyList<TaskSample> Prepare(PromptContext context) =>
    [
        .. _text.Windows(context.Tokenizer, _options.Tokens, _options.Window).Select((ids, index) => new TaskSample
        {
            Id = index.ToString(CultureInfo.InvariantCulture),
            Kind = SampleKind.Compare,
            PromptIds = ids,
            MaxNewTokens = 0,
            Answers = [],
        }),
    ];
}
