using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Text.Tokenizers.Decoding;

/// <summary>Fuse: all tokens become one.</summary>
internal sealed class FuseStage(DecodeStage next) : DecodeStage
{
    public override void Take(string fragment, bool ends) => next.Take(fragment, false);

    public override void Finish()
    {
        next.Take("", true);
        next.Finish();
    }
}

/// <summary>Replace, within each token.</summary>
internal sealed class ReplaceStage(TextPattern pattern, string replacement, DecodeStage next, WorkBudget budget) : WholeTokenStage(budget)
{
    public override void Finish() => next.Finish();

    protected override void TakeToken(string token) => next.Take(pattern.Replace(token, replacement, Budget), true);
}

/// <summary>Strip: up to so many of one character at the two ends of each token.</summary>
internal sealed class StripStage(char content, int start, int stop, DecodeStage next, WorkBudget budget) : DecodeStage
{
    private int _cut;
    private string _held = "";

    public override void Take(string fragment, bool ends)
    {
        var from = 0;
        while (_cut < start && from < fragment.Length)
            if (fragment[from] == content) (from, _cut) = (from + 1, _cut + 1);
            else _cut = start;
        budget.Spend();
        budget.Text((long)_held.Length + fragment.Length);
        var text = _held + fragment[from..];
        var kept = text.Length;
        while (kept > 0 && text.Length - kept < stop && text[kept - 1] == content) kept--;
        _held = ends ? "" : text[kept..];
        if (ends) _cut = 0;
        next.Take(text[..kept], ends);
    }

    public override void Finish() => next.Finish();
}

/// <summary>Metaspace: the visible space becomes a space, or nothing within the first token where the encoder put it.</summary>
internal sealed class MetaspaceStage(string replacement, bool prepended, DecodeStage next, WorkBudget budget) : WholeTokenStage(budget)
{
    private bool _first = true;

    public override void Finish() => next.Finish();

    protected override void TakeToken(string token)
    {
        next.Take(token.Replace(replacement, _first && prepended ? "" : " ", StringComparison.Ordinal), true);
        _first = false;
    }
}

/// <summary>BPEDecoder: the suffix of word ends becomes a space, within the last token nothing. Holds one token back.</summary>
internal sealed class WordEndStage(string suffix, DecodeStage next, WorkBudget budget) : WholeTokenStage(budget)
{
    private readonly LiteralPattern _suffix = new(suffix);
    private string? _last;

    public override void Finish()
    {
        if (_last is not null) next.Take(Replace(_last, ""), true);
        next.Finish();
    }

    protected override void TakeToken(string token)
    {
        if (_last is not null) next.Take(Replace(_last, " "), true);
        _last = token;
    }

    private string Replace(string token, string replacement) => _suffix.Replace(token, replacement, Budget);
}

/// <summary>What Hugging Face does where there is no decoder: a space between tokens.</summary>
internal sealed class SpacesStage(DecodeStage next, WorkBudget budget) : WholeTokenStage(budget)
{
    private bool _first = true;

    public override void Finish() => next.Finish();

    protected override void TakeToken(string token)
    {
        next.Take(_first ? token : " " + token, true);
        _first = false;
    }
}
