using System.Globalization;
using System.Text.Json;
using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.Json;

/// <summary>
/// What <c>tokenizer_config.json</c> says about ids, as Hugging Face transformers takes it: tokens that <c>tokenizer.json</c> lacks or
/// describes otherwise, and whether a BOS and an EOS go around a text.
/// </summary>
internal sealed class TokenizerSettings
{
    private const string Beginning = "bos_token";
    private const string End = "eos_token";

    private readonly JsonPart _file;

    private TokenizerSettings(JsonPart file) => _file = file;

    /// <summary>The settings of a model folder; null where it has none.</summary>
    /// <exception cref="ConfigException">The file is damaged.</exception>
    public static TokenizerSettings? Find(string folder) =>
        JsonFiles.Read(Path.Combine(folder, "tokenizer_config.json")) is { } file ? new(file) : null;

    /// <summary>Adds the tokens of <c>added_tokens_decoder</c>; what it says about one that is there already holds.</summary>
    /// <exception cref="ConfigException">One contradicts <c>tokenizer.json</c>.</exception>
    public void AddTokens(VocabularyBuilder builder)
    {
        if (_file.Child("added_tokens_decoder") is not { } tokens) return;
        if (tokens.Value.ValueKind != JsonValueKind.Object) throw tokens.Error($"expected an object, found {tokens.Value.ValueKind}");
        foreach (var property in tokens.Value.EnumerateObject())
        {
            var part = new JsonPart(tokens.File, $"{tokens.Path}.{OneLine.Quote(property.Name)}", property.Value);
            if (!int.TryParse(property.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                throw part.Error("the key is not an id");
            builder.SetAddedToken(TokenizerComponents.ReadAddedToken(part, id), $"{tokens.Path} of {Path.GetFileName(tokens.File)}");
        }
    }

    /// <summary>
    /// The one template that <c>add_bos_token</c> and <c>add_eos_token</c> make; <paramref name="own"/> where neither is given. One that
    /// is not given keeps what <paramref name="own"/> does.
    /// </summary>
    /// <exception cref="ConfigException">A token is to be added that is not named, or that the vocabulary does not have.</exception>
    public IReadOnlyList<SpecialTokenTemplate> Templates(VocabularyBuilder builder, IReadOnlyList<SpecialTokenTemplate> own)
    {
        if (_file.Child("add_bos_token") is null && _file.Child("add_eos_token") is null) return own;
        int[] before = Added(Beginning, builder, own, 0), after = Added(End, builder, own, ^1);
        return before.Length + after.Length == 0 ? [] : [new([before, null, after])];
    }

    private int[] Added(string name, VocabularyBuilder builder, IReadOnlyList<SpecialTokenTemplate> own, Index place)
    {
        var token = _file.Child(name) is { } part ? JsonFiles.TokenText(part) : null;
        int? id = token is null ? null : builder.IdOf(token);
        var key = $"add_{name}";
        if (!_file.Bool(
            key, id is { } known
                && own.Any(template => template.Parts.Count > 0 && template.Parts[place] is { } ids && ids.Contains(known)))) return [];
        if (token is null) throw _file.Error($"'{key}' is true, but there is no '{name}'; allowed: false, or a token");
        return [id ?? throw _file.Error($"'{name}' is {OneLine.Quote(token)}, which the vocabulary does not have")];
    }
}
