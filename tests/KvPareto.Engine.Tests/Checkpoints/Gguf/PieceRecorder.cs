using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Engine.Tests.Checkpoints.Gguf;

/// <summary>The end of a chain of pre-tokenizers that keeps the pieces.</summary>
internal sealed class PieceRecorder : PieceSink
{
    private readonly List<string> _pieces = [];

    /// <summary>What regexes, one after the other, make of a text.</summary>
    public static IReadOnlyList<string> Split(IEnumerable<string> patterns, string text)
    {
        var recorder = new PieceRecorder();
        new SequencePreTokenizer(
            [.. patterns.Select(pattern => new SplitPreTokenizer(RegexPattern.Create(pattern), SplitBehavior.Isolated))])
            .Attach(recorder, WorkBudget.ForText(text.Length, "test")).Accept(text, 0, text.Length, opensText: true);
        return recorder._pieces;
    }

    public override void Accept(string text, int start, int length, bool opensText) => _pieces.Add(text.Substring(start, length));
}
