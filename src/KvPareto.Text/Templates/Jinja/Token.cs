using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>What a token is.</summary>
internal enum TokenKind
{
    /// <summary>Text outside tags.</summary>
    Data,

    /// <summary><c>{{</c>.</summary>
    VariableBegin,

    /// <summary><c>}}</c>.</summary>
    VariableEnd,

    /// <summary><c>{%</c>.</summary>
    BlockBegin,

    /// <summary><c>%}</c>.</summary>
    BlockEnd,

    /// <summary>Identifier or keyword.</summary>
    Name,

    /// <summary>String literal; the text is its value.</summary>
    String,

    /// <summary>Whole number.</summary>
    Integer,

    /// <summary>Number with a fraction or an exponent.</summary>
    Float,

    /// <summary>Operator or bracket.</summary>
    Operator,

    /// <summary>End of the template.</summary>
    End,
}

/// <summary>A token.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text, or a string literal's value.</param>
/// <param name="Line">Line, from 1.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Line)
{
    /// <summary>The token as a message shows it.</summary>
    public string Shown => Kind == TokenKind.End ? "the end of the template" : OneLine.Quote(Text);

    /// <summary>True for this operator.</summary>
    public bool IsOperator(string text) => Kind == TokenKind.Operator && Text == text;

    /// <summary>True for this name.</summary>
    public bool IsName(string text) => Kind == TokenKind.Name && Text == text;
}
