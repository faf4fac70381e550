using System.Text.Json;
using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.Bpe;
using KvPareto.Text.Tokenizers.Normalization;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Text.Tokenizers.Json;

/// <summary>Makes a definition of the components of a <c>tokenizer.json</c>, checking each against the vocabulary.</summary>
internal sealed class TokenizerComponents(
    string file, Dictionary<string, JsonElement> components, Dictionary<string, JsonElement> model, VocabularyBuilder builder,
        MergeList merges, TokenizerSettings? settings)
{
    private const int MostStages = 64;
    private const int LongestAffix = 64;

    /// <exception cref="ConfigException">A component is not known or contradicts the vocabulary.</exception>
    public TokenizerDefinition Build()
    {
        var options = ReadModel();
        if (Component("added_tokens") is { } added)
            foreach (var token in added.Items()) builder.AddAddedToken(ReadAddedToken(token, token.Required("id").AsInt()), token.Path);
        settings?.AddTokens(builder);
        IReadOnlyList<SpecialTokenTemplate> templates = Chain("post_processor") is { } postProcessor ? [.. ReadTemplates(postProcessor)]
            : [];
        return new()
        {
            Tokens = builder,
            Merges = merges,
            Options = options,
            Normalizer = Chain("normalizer") is { } normalizer ? ReadNormalizer(normalizer) : null,
            PreTokenizers = Chain("pre_tokenizer") is { } preTokenizer ? [.. PreTokenizerReader.Read(preTokenizer)] : [],
            Templates = settings?.Templates(builder, templates) ?? templates,
            Decoder = Chain("decoder") is { } decoder ? DecoderReader.Read(decoder) : static (next, budget) =>
                new Decoding.SpacesStage(next, budget),
        };
    }

    private JsonPart? Component(string key) =>
        components.TryGetValue(key, out var value) && value.ValueKind != JsonValueKind.Null ? new(file, key, value) : null;

    // A component that is one stage or a sequence of them.
    private JsonPart? Chain(string key)
    {
        if (Component(key) is not { } part) return null;
        var stages = Stages(part.Value);
        return stages <= MostStages ? part : throw part.Error($"{stages} stages; allowed: up to {MostStages}");
    }

    private static int Stages(JsonElement part) => part.ValueKind switch
    {
        JsonValueKind.Object =>
            (part.TryGetProperty("type", out _) ? 1 : 0) + part.EnumerateObject().Sum(static property => Stages(property.Value)),
        JsonValueKind.Array => part.EnumerateArray().Sum(Stages),
        _ => 0,
    };

    private JsonPart? ModelSetting(string key) =>
        model.TryGetValue(key, out var value) && value.ValueKind != JsonValueKind.Null ? new(file, "model." + key, value) : null;

    private BpeOptions ReadModel()
    {
        // Files older than the key are BPE where they have merges; other models have none.
        var type = ModelSetting("type")?.AsString() ?? (merges.Count > 0 ? "BPE" : "");
        if (type != "BPE") throw new JsonPart(file, "model", default).Unknown("the model type", type, "BPE");
        if (ModelSetting("vocab") is { } vocabulary) throw vocabulary.Error($"expected an object, found {vocabulary.Value.ValueKind}");
        if (builder.Vocabulary.Count == 0) throw new ConfigException($"{file}: model.vocab: holds no token");
        if (ModelSetting("dropout") is { } dropout && !(dropout.Value.ValueKind == JsonValueKind.Number && dropout.Value.GetDouble() == 0))
            throw dropout.Error("dropout makes ids random; only null or 0 can be used");
        int? unknown = null;
        if (ModelSetting("unk_token") is { } token)
            unknown = builder.Vocabulary.TryGetId(token.AsString(), out var id) ? id
                : throw token.Error($"{OneLine.Quote(token.AsString())} is not in the vocabulary");
        var options = new BpeOptions(
            IgnoreMerges: Flag("ignore_merges"),
            ByteFallback: Flag("byte_fallback"),
            UnknownId: unknown,
            FuseUnknown: Flag("fuse_unk"),
            ContinuingPrefix: Affix("continuing_subword_prefix"),
            EndSuffix: Affix("end_of_word_suffix"));
        if (!options.ByteFallback) return options;
        if (options.ContinuingPrefix.Length + options.EndSuffix.Length > 0)
            throw ModelSetting("byte_fallback")!.Value.Error("cannot be used with continuing_subword_prefix or end_of_word_suffix");
        if (merges.FirstOfBytes is { } index)
            throw new ConfigException($"{file}: model.merges[{index}]: with byte_fallback tokens of bytes cannot merge");
        return options;
    }

    // It goes to every character that is looked up.
    private string Affix(string key)
    {
        if (ModelSetting(key) is not { } part) return "";
        var affix = part.AsString();
        return affix.Length <= LongestAffix ? affix : throw part.Error($"{affix.Length} characters; allowed: up to {LongestAffix}");
    }

    private bool Flag(string key)
    {
        if (ModelSetting(key) is not { } part) return false;
        return part.Value.ValueKind is JsonValueKind.True or JsonValueKind.False ? part.Value.GetBoolean()
            : throw part.Error("expected true or false");
    }

    /// <summary>An added token as both files write it, its id aside.</summary>
    public static AddedToken ReadAddedToken(JsonPart part, int id) => new(
        id,
        part.String("content"),
        part.Bool("special", false),
        part.Bool("single_word", false),
        part.Bool("lstrip", false),
        part.Bool("rstrip", false),
        part.Bool("normalized", false));

    private static Normalizer ReadNormalizer(JsonPart part) => part.Type switch
    {
        "Sequence" => new SequenceNormalizer([.. part.Required("normalizers").Items().Select(ReadNormalizer)]),
        "NFC" => new UnicodeNormalizer(UnicodeForm.Nfc),
        "NFD" => new UnicodeNormalizer(UnicodeForm.Nfd),
        "NFKC" => new UnicodeNormalizer(UnicodeForm.Nfkc),
        "NFKD" => new UnicodeNormalizer(UnicodeForm.Nfkd),
        "Prepend" => new PrependNormalizer(part.String("prepend")),
        "Replace" => new ReplaceNormalizer(PreTokenizerReader.ReadPattern(part.Required("pattern")), part.String("content")),
        "Lowercase" => new LowercaseNormalizer(),
        "Strip" => new StripNormalizer(part.Bool("strip_left", true), part.Bool("strip_right", true)),
        "StripAccents" => new ReplaceNormalizer(CharacterPattern.Marks, ""),
        "ByteLevel" => new ByteLevelNormalizer(),
        var type => throw part.Unknown(
            "the normalizer", type, "Sequence", "NFC", "NFD", "NFKC", "NFKD", "Prepend", "Replace", "Lowercase", "Strip", "StripAccents",
                "ByteLevel"),
    };

    private IEnumerable<SpecialTokenTemplate> ReadTemplates(JsonPart part)
    {
        switch (part.Type)
        {
            case "Sequence":
                foreach (var item in part.Required("processors").Items())
                    foreach (var template in ReadTemplates(item)) yield return template;
                break;
            case "ByteLevel":
                break;
            case "TemplateProcessing":
                yield return ReadTemplate(part);
                break;
            case "BertProcessing" or "RobertaProcessing":
                yield return new([[PairId(part.Required("cls"))], null, [PairId(part.Required("sep"))]]);
                break;
            default:
                throw part.Unknown("the post-processor", part.Type, "Sequence", "ByteLevel", "TemplateProcessing", "BertProcessing",
                    "RobertaProcessing");
        }
    }

    private SpecialTokenTemplate ReadTemplate(JsonPart part)
    {
        var parts = new List<int[]?>();
        var tokens = part.Child("special_tokens");
        foreach (var item in part.Required("single").Items())
            if (item.Child("Sequence") is { } sequence)
                parts.Add(sequence.String("id") == "A" ? null
                    : throw sequence.Unknown("the sequence of a single text", sequence.String("id"), "A"));
            else if (item.Child("SpecialToken") is { } special)
                parts.Add([.. (tokens ?? part.Required("special_tokens")).Required(special.String("id")).Required("ids").Items()
                    .Select(CheckedId)]);
            else throw item.Error("expected Sequence or SpecialToken");
        return new(parts);
    }

    private int PairId(JsonPart pair) =>
        pair.Items().Skip(1).Select(CheckedId).FirstOrDefault(-1) is var id and >= 0 ? id : throw pair.Error("expected [token, id]");

    private int CheckedId(JsonPart part) =>
        builder.HasId(part.AsInt()) ? part.AsInt() : throw part.Error($"id {part.AsInt()} is not in the vocabulary");
}
