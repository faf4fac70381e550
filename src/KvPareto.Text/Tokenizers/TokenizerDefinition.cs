using KvPareto.Text.Tokenizers.Bpe;
using KvPareto.Text.Tokenizers.Decoding;
using KvPareto.Text.Tokenizers.Normalization;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Text.Tokenizers;

/// <summary>Everything that a <see cref="Tokenizer"/> is made of, checked and ready.</summary>
internal sealed record TokenizerDefinition
{
    /// <summary>All tokens.</summary>
    public required VocabularyBuilder Tokens { get; init; }

    /// <summary>Merges over the vocabulary.</summary>
    public required MergeList Merges { get; init; }

    /// <summary>Rules of the model; <see cref="BpeOptions.MapBytes"/> is set by the tokenizer.</summary>
    public required BpeOptions Options { get; init; }

    /// <summary>Rewrites the text, or null.</summary>
    public Normalizer? Normalizer { get; init; }

    /// <summary>Splits the text, in order.</summary>
    public IReadOnlyList<PreTokenizer> PreTokenizers { get; init; } = [];

    /// <summary>What special tokens are added, from the inside to the outside.</summary>
    public IReadOnlyList<SpecialTokenTemplate> Templates { get; init; } = [];

    /// <summary>Back to text; a space between tokens where there is none.</summary>
    public DecodeStageFactory Decoder { get; init; } = static (next, budget) => new SpacesStage(next, budget);
}
