using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.Decoding;

/// <summary>
/// A step from tokens to text that holds no more back than it must. Tokens come as one or more fragments, the last of each marked,
/// so that what a step fuses to one endless token still flows.
/// </summary>
internal abstract class DecodeStage
{
    /// <summary>Takes a fragment of the current token.</summary>
    /// <param name="fragment">Text; whole characters.</param>
    /// <param name="ends">It is the token's last fragment.</param>
    public abstract void Take(string fragment, bool ends);

    /// <summary>No more tokens come.</summary>
    public abstract void Finish();
}

/// <summary>Makes a stage that hands its results to the next; one <c>decoder</c> of <c>tokenizer.json</c>.</summary>
internal delegate DecodeStage DecodeStageFactory(DecodeStage next, WorkBudget budget);

/// <summary>The end of the chain: text, taken away as it comes.</summary>
internal sealed class TextStage(WorkBudget budget) : DecodeStage
{
    private readonly StringBuilder _text = new();

    /// <summary>The text since the last call.</summary>
    public string Drain()
    {
        if (_text.Length == 0) return "";
        var text = _text.ToString();
        _text.Clear();
        return text;
    }

    public override void Take(string fragment, bool ends)
    {
        budget.CheckLength((long)_text.Length + fragment.Length);
        _text.Append(fragment);
    }

    public override void Finish() { }
}

/// <summary>A stage that looks at tokens as wholes.</summary>
internal abstract class WholeTokenStage(WorkBudget budget) : DecodeStage
{
    private readonly StringBuilder _held = new();

    /// <summary>What the text as a whole may still cost.</summary>
    protected WorkBudget Budget { get; } = budget;

    public sealed override void Take(string fragment, bool ends)
    {
        Budget.Spend();
        Budget.Text(fragment.Length);
        if (ends && _held.Length == 0)
        {
            TakeToken(fragment);
            return;
        }
        Budget.CheckLength((long)_held.Length + fragment.Length);
        _held.Append(fragment);
        if (!ends) return;
        var token = _held.ToString();
        _held.Clear();
        TakeToken(token);
    }

    /// <summary>Takes one token.</summary>
    protected abstract void TakeToken(string token);
}
