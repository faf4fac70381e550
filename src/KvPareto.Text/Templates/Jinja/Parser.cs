namespace KvPareto.Text.Templates.Jinja;

/// <summary>Jinja2's statements: output, if, for, set, macro, call, filter, with, generation, break, continue, do.</summary>
internal sealed class Parser
{
    private const int DeepestNesting = 100;
    private const string Known = "if, for, set, macro, call, filter, with, raw, generation, break, continue, do";

    private readonly TokenReader _tokens;
    private readonly ExpressionParser _expressions;
    private int _depth;
    private int _loops;

    private Parser(string source)
    {
        _tokens = new(Lexer.Tokenize(source));
        _expressions = new(_tokens);
    }

    /// <summary>Parses a template.</summary>
    /// <exception cref="JinjaException">Not well formed, or a construct that is not known; carries the line.</exception>
    public static BlockStatement Parse(string source) => new Parser(source).Body("the end of the template");

    // The tag that ends the body is left with its name next.
    private BlockStatement Body(string wanted, params ReadOnlySpan<string> ends)
    {
        if (++_depth > DeepestNesting)
            throw new JinjaException($"more than {DeepestNesting} blocks within each other", _tokens.Current.Line);
        var statements = new List<Statement>();
        while (true)
        {
            var token = _tokens.Current;
            switch (token.Kind)
            {
                case TokenKind.End when ends.Length == 0:
                    return new(statements);
                case TokenKind.End:
                    throw new JinjaException($"the template ends before {wanted}", token.Line);
                case TokenKind.Data:
                    _tokens.Take();
                    statements.Add(new TextStatement(token.Text, token.Line));
                    break;
                case TokenKind.VariableBegin:
                    _tokens.Take();
                    statements.Add(new OutputStatement(_expressions.Tuple()));
                    _tokens.Expect(TokenKind.VariableEnd, "'}}'");
                    break;
                default:
                    _tokens.Take();
                    if (_tokens.Current.Kind == TokenKind.Name && ends.Contains(_tokens.Current.Text))
                    {
                        _depth--;
                        return new(statements);
                    }
                    statements.Add(Tag());
                    break;
            }
        }
    }

    private Statement Tag()
    {
        var tag = _tokens.Expect(TokenKind.Name, "a tag");
        switch (tag.Text)
        {
            case "if": return If();
            case "for": return For();
            case "set": return Set();
            case "macro": return Macro();
            case "call": return Call();
            case "filter": return Filter();
            case "with": return With();
            case "generation":
                EndTag();
                return new WithStatement([], BodyAndEnd("endgeneration"));
            case "do":
                var value = _expressions.Tuple();
                EndTag();
                return new SetStatement(new NameExpression("_", tag.Line), value);
            case "break" or "continue" when _loops > 0:
                EndTag();
                return new JumpStatement(tag.Text == "break" ? Flow.Break : Flow.Continue);
            case "break" or "continue":
                throw new JinjaException($"'{tag.Text}' outside a loop", tag.Line);
            default:
                throw new JinjaException($"the tag {tag.Shown} is not known here; known: {Known}", tag.Line);
        }
    }

    private IfStatement If()
    {
        var branches = new List<(Expression, Statement)>();
        Statement? otherwise = null;
        var test = _expressions.Tuple(withCondition: false);
        _expressions.Conditional++;
        while (true)
        {
            EndTag();
            var body = Body("'endif'", "elif", "else", "endif");
            branches.Add((test, body));
            var end = _tokens.Take().Text;
            if (end == "elif")
            {
                test = _expressions.Tuple(withCondition: false);
                continue;
            }
            EndTag();
            if (end == "else") otherwise = BodyAndEnd("endif");
            _expressions.Conditional--;
            return new(branches, otherwise);
        }
    }

    private LoopStatement For()
    {
        var target = _expressions.Target(withNamespace: false);
        if (!_tokens.TryName("in")) throw _tokens.Unexpected("'in'");
        var items = _expressions.Tuple(withCondition: false);
        var test = _tokens.TryName("if") ? _expressions.Parse() : null;
        var recursive = _tokens.TryName("recursive");
        EndTag();
        _loops++;
        var body = Body("'endfor'", "else", "endfor");
        _loops--;
        var end = _tokens.Take().Text;
        EndTag();
        return new(target, items, test, recursive, body, end == "else" ? BodyAndEnd("endfor") : null);
    }

    private Statement Set()
    {
        var target = _expressions.Target(withNamespace: true);
        if (_tokens.TryOperator("="))
        {
            var value = _expressions.Tuple();
            EndTag();
            return new SetStatement(target, value);
        }
        var filter = _tokens.TryOperator("|") ? _expressions.OpenFilters() : null;
        EndTag();
        return new CaptureStatement(target, filter, BodyAndEnd("endset"));
    }

    private MacroStatement Macro()
    {
        var name = _tokens.Expect(TokenKind.Name, "a name").Text;
        return new(Definition(name, Parameters(), "endmacro"));
    }

    private CallStatement Call()
    {
        var parameters = _tokens.Current.IsOperator("(") ? Parameters() : [];
        var call = _expressions.Call();
        return new(call, Definition("caller", parameters, "endcall"));
    }

    private MacroDefinition Definition(string name, List<(string, Expression?)> parameters, string end)
    {
        EndTag();
        var outer = _loops;
        _loops = 0;
        BlockStatement? body = null;
        var names = _expressions.NamesWithin(() => body = BodyAndEnd(end));
        _loops = outer;
        return new(name, parameters, body!, names.Contains("varargs"), names.Contains("kwargs"), names.Contains("caller"));
    }

    private List<(string Name, Expression? Default)> Parameters()
    {
        var parameters = new List<(string, Expression?)>();
        _tokens.Operator("(");
        while (!_tokens.TryOperator(")"))
        {
            if (parameters.Count > 0) _tokens.Operator(",");
            var name = _tokens.Expect(TokenKind.Name, "a parameter");
            if (_tokens.TryOperator("=")) parameters.Add((name.Text, _expressions.Parse()));
            else if (parameters.Exists(static p => p.Item2 is not null))
                throw new JinjaException($"the parameter {name.Shown} without default follows one with", name.Line);
            else parameters.Add((name.Text, null));
        }
        return parameters;
    }

    private FilterStatement Filter()
    {
        var filter = _expressions.OpenFilters();
        EndTag();
        return new(filter, BodyAndEnd("endfilter"));
    }

    private WithStatement With()
    {
        var assignments = new List<(Expression, Expression)>();
        while (_tokens.Current.Kind != TokenKind.BlockEnd)
        {
            if (assignments.Count > 0) _tokens.Operator(",");
            var target = new NameExpression(_tokens.Expect(TokenKind.Name, "a name").Text, _tokens.Current.Line);
            _tokens.Operator("=");
            assignments.Add((target, _expressions.Parse()));
        }
        EndTag();
        return new(assignments, BodyAndEnd("endwith"));
    }

    private BlockStatement BodyAndEnd(string end)
    {
        var body = Body($"'{end}'", end);
        _tokens.Take();
        EndTag();
        return body;
    }

    private void EndTag() => _tokens.Expect(TokenKind.BlockEnd, "'%}'");
}
