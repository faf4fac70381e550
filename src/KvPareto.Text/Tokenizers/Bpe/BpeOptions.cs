namespace KvPareto.Text.Tokenizers.Bpe;

/// <summary>How characters outside the vocabulary and whole words are treated.</summary>
/// <param name="MapBytes">Pieces come as text and are mapped to <see cref="ByteAlphabet"/> here.</param>
/// <param name="IgnoreMerges">A piece that is itself a token is taken whole.</param>
/// <param name="ByteFallback">Unknown characters become <c>&lt;0xNN&gt;</c> tokens of their UTF-8 bytes.</param>
/// <param name="UnknownId">Id for other unknown characters; null drops them.</param>
/// <param name="FuseUnknown">Neighbouring unknown characters become one token.</param>
/// <param name="ContinuingPrefix">Put before every character of a piece but the first.</param>
/// <param name="EndSuffix">Put after the last character of a piece.</param>
internal sealed record BpeOptions(
    bool MapBytes = false,
    bool IgnoreMerges = false,
    bool ByteFallback = false,
    int? UnknownId = null,
    bool FuseUnknown = false,
    string ContinuingPrefix = "",
    string EndSuffix = "");
