
namespace KvPareto.Text.Templates.Jinja;

/// <summary>Jinja2's expressions, by recursive descent: the operators, each method one level of precedence; their operands are
/// <see cref="OperandParser"/>'s.</summary>
internal sealed class ExpressionParser
{
    private const int DeepestNesting = 100;

    private static readonly HashSet<string> Comparisons = new(StringComparer.Ordinal) { "==", "!=", "<", "<=", ">", ">=" };

    private readonly TokenReader _tokens;
    private readonly OperandParser _operands;
    private int _depth;

    public ExpressionParser(TokenReader tokens) => (_tokens, _operands) = (tokens, new OperandParser(tokens, this));

    /// <summary>
    /// Within a part that need not run. There, as in Jinja2, a filter or test that is not known fails only when it is used: many
    /// templates ask first.
    /// </summary>
    public int Conditional { get; set; }

    /// <summary>Names read so far.</summary>
    public HashSet<string> Names { get; private set; } = new(StringComparer.Ordinal);

    /// <summary>Any expression but a bare tuple.</summary>
    public Expression Parse(bool withCondition = true)
    {
        Enter(_tokens.Current.Line);
        var result = withCondition ? Condition() : Or();
        _depth--;
        return result;
    }

    /// <summary>What is between parentheses, of which the first was read.</summary>
    public Expression Parenthesised(int line)
    {
        Enter(line);
        var inner = Tuple(inParentheses: true);
        _depth--;
        _tokens.Operator(")");
        return inner;
    }

    /// <summary>An expression, or several with commas between them.</summary>
    /// <param name="withCondition">Inline ifs are allowed.</param>
    /// <param name="inParentheses">The tuple may be empty.</param>
    public Expression Tuple(bool withCondition = true, bool inParentheses = false)
    {
        var (items, isTuple, line) = (new List<Expression>(), false, _tokens.Current.Line);
        while (!AtTupleEnd())
        {
            items.Add(Parse(withCondition));
            if (!_tokens.TryOperator(",")) break;
            isTuple = true;
        }
        if (!isTuple && items.Count == 1) return items[0];
        return isTuple || inParentheses ? new ListExpression(items, true, line) : throw _tokens.Unexpected("an expression");
    }

    /// <summary>What stands left of an assignment or of a loop's <c>in</c>.</summary>
    /// <param name="withNamespace">Attributes of a namespace are allowed.</param>
    public Expression Target(bool withNamespace)
    {
        var (items, isTuple, line) = (new List<Expression>(), false, _tokens.Current.Line);
        Enter(line);
        do
        {
            if (items.Count > 0) isTuple = true;
            if (_tokens.TryOperator("("))
            {
                items.Add(Target(withNamespace));
                _tokens.Operator(")");
            }
            else if (_tokens.Current.Kind != TokenKind.Name) break;
            else if (_tokens.Take() is var name && withNamespace && _tokens.TryOperator("."))
                items.Add(new NamespaceTarget(name.Text, _tokens.Expect(TokenKind.Name, "an attribute").Text, name.Line));
            else items.Add(new NameExpression(name.Text, name.Line));
        }
        while (_tokens.TryOperator(","));
        _depth--;
        return items.Count == 0 ? throw _tokens.Unexpected("a name") : isTuple ? new ListExpression(items, true, line) : items[0];
    }

    /// <summary>The filters of a filter block or block set, from after the first <c>|</c>.</summary>
    public FilterExpression OpenFilters() => _operands.OpenFilters();

    /// <summary>An expression that must be a call.</summary>
    public CallExpression Call() => Parse() as CallExpression ?? throw _tokens.Unexpected("a call before");

    /// <summary>Parses a part and gives the names that it reads.</summary>
    public HashSet<string> NamesWithin(Action part)
    {
        var outer = Names;
        var inner = Names = new(StringComparer.Ordinal);
        part();
        Names = outer;
        Names.UnionWith(inner);
        return inner;
    }

    private void Enter(int line)
    {
        if (++_depth > DeepestNesting) throw new JinjaException($"more than {DeepestNesting} expressions within each other", line);
    }

    private bool AtTupleEnd() => _tokens.Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd or TokenKind.End
        || _tokens.Current.IsOperator(")") || _tokens.Current.IsName("recursive");

    private Expression Condition()
    {
        var value = Or();
        while (_tokens.Current.IsName("if"))
        {
            var line = _tokens.Take().Line;
            var test = Or();
            Conditional++;
            value = new ConditionalExpression(test, value, _tokens.TryName("else") ? Parse() : null, line);
            Conditional--;
        }
        return value;
    }

    private Expression Or()
    {
        var left = And();
        while (_tokens.Current.IsName("or")) left = new LogicExpression(false, left, After(And, out var line), line);
        return left;
    }

    private Expression And()
    {
        var left = Not();
        while (_tokens.Current.IsName("and")) left = new LogicExpression(true, left, After(Not, out var line), line);
        return left;
    }

    private Expression Not()
    {
        if (!_tokens.Current.IsName("not")) return Comparison();
        RenderState.EnsureStack(_tokens.Current.Line);
        return new UnaryExpression("not", After(Not, out var line), line);
    }

    private Expression Comparison()
    {
        var first = Sum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (_tokens.Current.Kind == TokenKind.Operator && Comparisons.Contains(_tokens.Current.Text))
                rest.Add((_tokens.Take().Text, Sum()));
            else if (_tokens.TryName("in")) rest.Add(("in", Sum()));
            else if (_tokens.Current.IsName("not") && _tokens.Following.IsName("in"))
            {
                _tokens.Take();
                _tokens.Take();
                rest.Add(("not in", Sum()));
            }
            else return rest.Count == 0 ? first : new CompareExpression(first, rest, first.Line);
        }
    }

    private Expression Sum() => LeftToRight(Concatenation, "+", "-");

    private Expression Concatenation()
    {
        var parts = new List<Expression> { Product() };
        while (_tokens.TryOperator("~")) parts.Add(Product());
        return parts.Count == 1 ? parts[0] : new ConcatExpression(parts, parts[0].Line);
    }

    private Expression Product() => LeftToRight(Power, "*", "/", "//", "%");

    private Expression Power() => LeftToRight(() => Unary(withFilter: true), "**");

    private Expression LeftToRight(Func<Expression> operand, params ReadOnlySpan<string> operations)
    {
        var left = operand();
        while (_tokens.Current.Kind == TokenKind.Operator && operations.Contains(_tokens.Current.Text))
        {
            var operation = _tokens.Take();
            left = new BinaryExpression(operation.Text, left, operand(), operation.Line);
        }
        return left;
    }

    private Expression Unary(bool withFilter)
    {
        Expression result;
        if (_tokens.Current.IsOperator("-") || _tokens.Current.IsOperator("+"))
        {
            RenderState.EnsureStack(_tokens.Current.Line);
            var sign = _tokens.Take();
            result = new UnaryExpression(sign.Text, Unary(withFilter: false), sign.Line);
        }
        else result = _operands.Primary();
        result = _operands.Postfix(result);
        return withFilter ? _operands.FiltersAndTests(result) : result;
    }

    private Expression After(Func<Expression> operand, out int line)
    {
        line = _tokens.Take().Line;
        return operand();
    }
}
