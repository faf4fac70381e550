namespace KvPareto.Text.Tokenizers;

/// <summary>
/// A token that is found in the text before the text is split: <c>added_tokens</c> of <c>tokenizer.json</c>, control and
/// user-defined tokens of GGUF.
/// </summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text, exactly.</param>
/// <param name="Special">Left out of decoded text when special tokens are skipped.</param>
/// <param name="SingleWord">Matches only where no word character touches it.</param>
/// <param name="LeftStrip">Takes the white space before it along.</param>
/// <param name="RightStrip">Takes the white space after it along.</param>
/// <param name="Normalized">Looked for in the normalized text rather than in the text as given.</param>
public sealed record AddedToken(
    int Id,
    string Content,
    bool Special,
    bool SingleWord = false,
    bool LeftStrip = false,
    bool RightStrip = false,
    bool Normalized = false);
