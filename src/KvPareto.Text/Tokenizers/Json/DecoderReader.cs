using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.Decoding;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Text.Tokenizers.Json;

/// <summary>The <c>decoder</c> of a <c>tokenizer.json</c>.</summary>
internal static class DecoderReader
{
    private const int LongestStrip = 1 << 16;

    /// <summary>A chain of the decoder's stages.</summary>
    /// <exception cref="ConfigException">One is not known.</exception>
    public static DecodeStageFactory Read(JsonPart part)
    {
        switch (part.Type)
        {
            case "Sequence":
                var stages = part.Required("decoders").Items().Select(Read).Reverse().ToArray();
                return (next, budget) => stages.Aggregate(next, (following, stage) => stage(following, budget));
            case "ByteLevel":
                return static (next, budget) => new ByteLevelStage(next, budget);
            case "ByteFallback":
                return static (next, budget) => new ByteFallbackStage(next, budget);
            case "Fuse":
                return static (next, _) => new FuseStage(next);
            case "Replace":
                var (pattern, content) = (PreTokenizerReader.ReadPattern(part.Required("pattern")), part.String("content"));
                return (next, budget) => new ReplaceStage(pattern, content, next, budget);
            case "Strip":
                var (stripped, start, stop) = (part.String("content"), ReadCount(part, "start"), ReadCount(part, "stop"));
                if (stripped.Length != 1) throw part.Error("the content must be one character");
                return (next, budget) => new StripStage(stripped[0], start, stop, next, budget);
            case "Metaspace":
                var (replacement, scheme) = PreTokenizerReader.ReadMetaspaceSettings(part);
                return (next, budget) => new MetaspaceStage(replacement, scheme != PrependScheme.Never, next, budget);
            case "BPEDecoder":
                var suffix = part.String("suffix", "</w>");
                return (next, budget) => new WordEndStage(suffix, next, budget);
            case var type:
                throw part.Unknown("the decoder", type, "Sequence", "ByteLevel", "ByteFallback", "Fuse", "Replace", "Strip", "Metaspace",
                    "BPEDecoder");
        }
    }

    private static int ReadCount(JsonPart part, string key) =>
        part.Required(key).AsInt() is var count and >= 0 and <= LongestStrip ? count
            : throw part.Error($"'{key}' is not within 0 to {LongestStrip}");
}
