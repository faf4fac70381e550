namespace KvPareto.Engine.Generation;

/// <summary>Runs a model under one setting, greedily. Weights are the model's; cache, chunk and attention kernel the setting's.</summary>
/// <param name="model">Loaded with the setting's weight precision.</param>
/// <param name="setting">Setting.</param>
public sealed class Generator(LanguageModel model, InferenceSetting setting)
{
    /// <summary>The setting.</summary>
    public InferenceSetting Setting { get; } = setting;

    /// <summary>The model.</summary>
    public LanguageModel Model { get; } = model;

    /// <summary>Greedy continuation of a prompt.</summary>
    /// <param name="prompt">Token ids, at least one.</param>
    /// <param name="maxNewTokens">Limit on new tokens.</param>
    /// <param name="stopIds">Ids that end it besides the model's own end tokens.</param>
    /// <param name="onToken">Called with each new id as it comes.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <exception cref="ArithmeticException">A logit is not a number.</exception>
    public Completion Generate(ReadOnlySpan<int> prompt, int maxNewTokens, IReadOnlyCollection<int>? stopIds = null, Action<int>? onToken = null, CancellationToken cancellation = default) =>
        throw new NotImplementedException();
}
