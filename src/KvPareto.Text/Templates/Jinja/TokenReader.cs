namespace KvPareto.Text.Templates.Jinja;

/// <summary>The tokens of a template, with a place among them.</summary>
internal sealed class TokenReader(List<Token> tokens)
{
    private int _at;

    /// <summary>The next token.</summary>
    public Token Current => tokens[_at];

    /// <summary>The token after the next.</summary>
    public Token Following => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    /// <summary>Takes the next token.</summary>
    public Token Take() => tokens[_at == tokens.Count - 1 ? _at : _at++];

    /// <summary>Takes an operator if it is next.</summary>
    public bool TryOperator(string text) => Current.IsOperator(text) && Take().Line >= 0;

    /// <summary>Takes a name if it is next.</summary>
    public bool TryName(string text) => Current.IsName(text) && Take().Line >= 0;

    /// <summary>Takes an operator that must be next.</summary>
    /// <exception cref="JinjaException">Another token is next.</exception>
    public Token Operator(string text) => Current.IsOperator(text) ? Take() : throw Unexpected($"'{text}'");

    /// <summary>Takes a token of a kind that must be next.</summary>
    /// <exception cref="JinjaException">Another token is next.</exception>
    public Token Expect(TokenKind kind, string what) => Current.Kind == kind ? Take() : throw Unexpected(what);

    /// <summary>The complaint about the next token.</summary>
    public JinjaException Unexpected(string expected) => new($"expected {expected}, found {Current.Shown}", Current.Line);
}
