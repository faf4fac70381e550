using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Sweep.Config;
using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Sweep.Trials;

/// <summary>Whether other weights are those of a model: the same architecture, and prompts that are the same tokens.</summary>
internal static class VariantCheck
{
    private static readonly (string Name, Func<ModelConfig, object> Of)[] Shape =
    [
        ("model_type", config => config.Family), ("vocab_size", config => config.VocabularySize),
            ("hidden_size", config => config.HiddenSize),
        ("intermediate_size", config => config.FeedForwardSize), ("num_hidden_layers", config => config.LayerCount),
        ("num_attention_heads", config => config.QueryHeads), ("num_key_value_heads", config => config.KvHeads),
            ("head_dim", config => config.HeadDim),
    ];

    /// <summary>Refuses weights of another model.</summary>
    /// <exception cref="ConfigException">Names place, variant, model and what differs.</exception>
    public static void Check(PreparedModel model, WeightVariant variant, ModelConfig own, ModelSource source, ModelConfig config)
    {
        foreach (var (name, of) in Shape)
        {
            if (of(config).Equals(of(own))) continue;
            throw Refuse(model, variant, source, $"has {name} {of(config)}, and the model {of(own)}");
        }
        // A variant without a tokenizer takes the model's.
        if (source.LoadTokenizer() is { } tokenizer) CheckTokenizer(model, variant, source, tokenizer);
    }

    private static void CheckTokenizer(PreparedModel model, WeightVariant variant, ModelSource source, Tokenizer tokenizer)
    {
        var own = ModelSource.Open(model.Entry.Model).RequireTokenizer();
        // Converters fill the vocabulary up to the model's width, and mark other tokens as special.
        for (var id = 0; id < Math.Min(own.VocabularySize, tokenizer.VocabularySize); id++)
        {
            var (mine, others) = (own.TokenContent(id), tokenizer.TokenContent(id));
            if (mine == others || mine is null || others is null || own.IsSpecial(id) || tokenizer.IsSpecial(id)) continue;
            throw Refuse(model, variant, source, $"has another tokenizer: token {id} differs");
        }
        foreach (var (task, samples) in model.Tasks)
            foreach (var sample in samples)
            {
                var text = own.Decode(sample.PromptIds, skipSpecialTokens: false);
                if (own.Encode(text, addSpecialTokens: false).AsSpan().SequenceEqual(tokenizer.Encode(text, addSpecialTokens: false)))
                    continue;
                throw Refuse(
                    model, variant, source, $"has another tokenizer: the prompt of sample '{sample.Id}' of task '{task.Name}' differs");
            }
    }

    private static ConfigException Refuse(PreparedModel model, WeightVariant variant, ModelSource source, string what) =>
        new($"{variant.Place}: '{source.Model}' {what} ('{model.Entry.Name}'); allowed: weights of the same model");
}
