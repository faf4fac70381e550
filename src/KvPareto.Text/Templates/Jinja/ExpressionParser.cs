using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>Jinja2's expressions, by recursive descent; each method is one level of precedence.</summary>
internal sealed class ExpressionParser(TokenReader tokens)
{
    private const int DeepestNesting = 100;

    private static readonly HashSet<string> Comparisons = new(StringComparer.Ordinal) { "==", "!=", "<", "<=", ">", ">=" };
    private static readonly HashSet<string> AfterTest = new(StringComparer.Ordinal) { "else", "or", "and" };

    private int _depth;

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
        if (++_depth > DeepestNesting)
            throw new JinjaException($"more than {DeepestNesting} expressions within each other", tokens.Current.Line);
        var result = withCondition ? Condition() : Or();
        _depth--;
        return result;
    }

    /// <summary>An expression, or several with commas between them.</summary>
    /// <param name="withCondition">Inline ifs are allowed.</param>
    /// <param name="inParentheses">The tuple may be empty.</param>
    public Expression Tuple(bool withCondition = true, bool inParentheses = false)
    {
        var (items, isTuple, line) = (new List<Expression>(), false, tokens.Current.Line);
        while (!AtTupleEnd())
        {
            items.Add(Parse(withCondition));
            if (!tokens.TryOperator(",")) break;
            isTuple = true;
        }
        if (!isTuple && items.Count == 1) return items[0];
        return isTuple || inParentheses ? new ListExpression(items, true, line) : throw tokens.Unexpected("an expression");
    }

    /// <summary>What stands left of an assignment or of a loop's <c>in</c>.</summary>
    /// <param name="withNamespace">Attributes of a namespace are allowed.</param>
    public Expression Target(bool withNamespace)
    {
        var (items, isTuple, line) = (new List<Expression>(), false, tokens.Current.Line);
        var parentheses = tokens.TryOperator("(");
        do
        {
            if (items.Count > 0) isTuple = true;
            if (tokens.Current.Kind != TokenKind.Name) break;
            var name = tokens.Take();
            if (withNamespace && tokens.TryOperator("."))
                items.Add(new NamespaceTarget(name.Text, tokens.Expect(TokenKind.Name, "an attribute").Text, name.Line));
            else items.Add(new NameExpression(name.Text, name.Line));
        }
        while (tokens.TryOperator(","));
        if (parentheses) tokens.Operator(")");
        return items.Count == 0 ? throw tokens.Unexpected("a name") : isTuple ? new ListExpression(items, true, line) : items[0];
    }

    /// <summary>The filters of a filter block or block set, from after the first <c>|</c>.</summary>
    public FilterExpression OpenFilters()
    {
        var filter = Filter(null);
        while (tokens.TryOperator("|")) filter = Filter(filter);
        return filter;
    }

    /// <summary>An expression that must be a call.</summary>
    public CallExpression Call() => Parse() as CallExpression ?? throw tokens.Unexpected("a call before");

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

    private bool AtTupleEnd() => tokens.Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd or TokenKind.End
        || tokens.Current.IsOperator(")") || tokens.Current.IsName("recursive");

    private Expression Condition()
    {
        var value = Or();
        while (tokens.Current.IsName("if"))
        {
            var line = tokens.Take().Line;
            var test = Or();
            Conditional++;
            value = new ConditionalExpression(test, value, tokens.TryName("else") ? Parse() : null, line);
            Conditional--;
        }
        return value;
    }

    private Expression Or()
    {
        var left = And();
        while (tokens.Current.IsName("or")) left = new LogicExpression(false, left, After(And, out var line), line);
        return left;
    }

    private Expression And()
    {
        var left = Not();
        while (tokens.Current.IsName("and")) left = new LogicExpression(true, left, After(Not, out var line), line);
        return left;
    }

    private Expression Not()
    {
        if (!tokens.Current.IsName("not")) return Comparison();
        RenderState.EnsureStack();
        return new UnaryExpression("not", After(Not, out var line), line);
    }

    private Expression Comparison()
    {
        var first = Sum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (tokens.Current.Kind == TokenKind.Operator && Comparisons.Contains(tokens.Current.Text))
                rest.Add((tokens.Take().Text, Sum()));
            else if (tokens.TryName("in")) rest.Add(("in", Sum()));
            else if (tokens.Current.IsName("not") && tokens.Following.IsName("in"))
            {
                tokens.Take();
                tokens.Take();
                rest.Add(("not in", Sum()));
            }
            else return rest.Count == 0 ? first : new CompareExpression(first, rest, first.Line);
        }
    }

    private Expression Sum() => LeftToRight(Concatenation, "+", "-");

    private Expression Concatenation()
    {
        var parts = new List<Expression> { Product() };
        while (tokens.TryOperator("~")) parts.Add(Product());
        return parts.Count == 1 ? parts[0] : new ConcatExpression(parts, parts[0].Line);
    }

    private Expression Product() => LeftToRight(Power, "*", "/", "//", "%");

    private Expression Power() => LeftToRight(() => Unary(withFilter: true), "**");

    private Expression LeftToRight(Func<Expression> operand, params ReadOnlySpan<string> operations)
    {
        var left = operand();
        while (tokens.Current.Kind == TokenKind.Operator && operations.Contains(tokens.Current.Text))
        {
            var operation = tokens.Take();
            left = new BinaryExpression(operation.Text, left, operand(), operation.Line);
        }
        return left;
    }

    private Expression Unary(bool withFilter)
    {
        Expression result;
        if (tokens.Current.IsOperator("-") || tokens.Current.IsOperator("+"))
        {
            RenderState.EnsureStack();
            var sign = tokens.Take();
            result = new UnaryExpression(sign.Text, Unary(withFilter: false), sign.Line);
        }
        else result = Primary();
        result = Postfix(result);
        return withFilter ? FiltersAndTests(result) : result;
    }

    private Expression Primary()
    {
        var token = tokens.Take();
        switch (token.Kind)
        {
            case TokenKind.Name:
                return token.Text switch
                {
                    "true" or "True" => new LiteralExpression(true, token.Line),
                    "false" or "False" => new LiteralExpression(false, token.Line),
                    "none" or "None" => new LiteralExpression(null, token.Line),
                    _ => Name(token),
                };
            case TokenKind.String:
                var parts = new List<string> { token.Text };
                while (tokens.Current.Kind == TokenKind.String) parts.Add(tokens.Take().Text);
                return new LiteralExpression(string.Concat(parts), token.Line);
            case TokenKind.Integer:
                return new LiteralExpression(Literals.Integer(token), token.Line);
            case TokenKind.Float:
                return new LiteralExpression(Literals.Float(token), token.Line);
            case TokenKind.Operator when token.Text == "(":
                if (++_depth > DeepestNesting)
                    throw new JinjaException($"more than {DeepestNesting} expressions within each other", token.Line);
                var inner = Tuple(inParentheses: true);
                _depth--;
                tokens.Operator(")");
                return inner;
            case TokenKind.Operator when token.Text == "[":
                return new ListExpression(Items("]"), false, token.Line);
            case TokenKind.Operator when token.Text == "{":
                return Dict(token.Line);
            default:
                throw new JinjaException($"expected an expression, found {token.Shown}", token.Line);
        }
    }

    private NameExpression Name(Token token)
    {
        Names.Add(token.Text);
        return new(token.Text, token.Line);
    }

    private List<Expression> Items(string close)
    {
        var items = new List<Expression>();
        while (!tokens.TryOperator(close))
        {
            if (items.Count > 0) tokens.Operator(",");
            if (tokens.TryOperator(close)) break;
            items.Add(Parse());
        }
        return items;
    }

    private DictExpression Dict(int line)
    {
        var items = new List<(Expression, Expression)>();
        while (!tokens.TryOperator("}"))
        {
            if (items.Count > 0) tokens.Operator(",");
            if (tokens.TryOperator("}")) break;
            var key = Parse();
            tokens.Operator(":");
            items.Add((key, Parse()));
        }
        return new(items, line);
    }

    private Expression Postfix(Expression target)
    {
        while (true)
        {
            if (tokens.Current.IsOperator(".") || tokens.Current.IsOperator("[")) target = Subscript(target);
            else if (tokens.Current.IsOperator("(")) target = new CallExpression(target, Arguments(), target.Line);
            else return target;
        }
    }

    private Expression FiltersAndTests(Expression target)
    {
        while (true)
        {
            if (tokens.TryOperator("|")) target = Filter(target);
            else if (tokens.Current.IsName("is")) target = Test(target);
            else if (tokens.Current.IsOperator("(")) target = new CallExpression(target, Arguments(), target.Line);
            else return target;
        }
    }

    private Expression Subscript(Expression target)
    {
        var open = tokens.Take();
        if (open.Text == ".")
        {
            var name = tokens.Take();
            if (name.Kind == TokenKind.Integer)
                return new ItemExpression(target, new LiteralExpression(Literals.Integer(name), name.Line), open.Line);
            return name.Kind == TokenKind.Name ? new AttributeExpression(target, name.Text, open.Line)
                : throw new JinjaException($"expected an attribute, found {name.Shown}", name.Line);
        }
        var start = tokens.Current.IsOperator(":") ? null : Parse();
        if (start is not null && tokens.TryOperator("]")) return new ItemExpression(target, start, open.Line);
        tokens.Operator(":");
        var stop = tokens.Current.IsOperator(":") || tokens.Current.IsOperator("]") ? null : Parse();
        var step = tokens.TryOperator(":") && !tokens.Current.IsOperator("]") ? Parse() : null;
        tokens.Operator("]");
        return new SliceExpression(target, start, stop, step, open.Line);
    }

    private ArgumentExpressions Arguments()
    {
        tokens.Operator("(");
        var (positional, named) = (new List<Expression>(), new List<(string, Expression)>());
        Expression? rest = null, namedRest = null;
        for (var first = true; !tokens.TryOperator(")"); first = false)
        {
            if (!first) tokens.Operator(",");
            if (tokens.TryOperator(")")) break;
            if (namedRest is not null) throw tokens.Unexpected("')' after '**'");
            if (tokens.TryOperator("*")) rest = rest is null ? Parse() : throw tokens.Unexpected("one '*' only");
            else if (tokens.TryOperator("**")) namedRest = Parse();
            else if (tokens.Current.Kind == TokenKind.Name && tokens.Following.IsOperator("="))
            {
                var name = tokens.Take().Text;
                tokens.Take();
                named.Add(named.Exists(n => n.Item1 == name) ? throw tokens.Unexpected($"'{name}' only once") : (name, Parse()));
            }
            else if (named.Count > 0 || rest is not null) throw tokens.Unexpected("a named argument");
            else positional.Add(Parse());
        }
        return new(positional, named, rest, namedRest);
    }

    private FilterExpression Filter(Expression? target)
    {
        var (name, line) = DottedName("a filter");
        var filter = Filters.Find(name)
            ?? Unknown<Filter>("filter", name, line, Filters.Names, static problem => (_, _, _) => throw problem());
        return new(target, name, filter, tokens.Current.IsOperator("(") ? Arguments() : ArgumentExpressions.None, line);
    }

    private Expression Test(Expression target)
    {
        tokens.Take();
        var negated = tokens.TryName("not");
        var (name, line) = DottedName("a test");
        var test = Tests.Find(name) ?? Unknown<Test>("test", name, line, Tests.Names, static problem => (_, _, _) => throw problem());
        var arguments = ArgumentExpressions.None;
        if (tokens.Current.IsOperator("(")) arguments = Arguments();
        else if (tokens.Current.Kind is TokenKind.String or TokenKind.Integer or TokenKind.Float || tokens.Current.IsOperator("[")
            || tokens.Current.IsOperator("{")
            || (tokens.Current.Kind == TokenKind.Name && !AfterTest.Contains(tokens.Current.Text) && !tokens.Current.IsName("if")))
        {
            if (tokens.Current.IsName("is")) throw tokens.Unexpected("no second 'is'");
            arguments = new([Postfix(Primary())], [], null, null);
        }
        Expression result = new TestExpression(target, name, test, arguments, line);
        return negated ? new UnaryExpression("not", result, line) : result;
    }

    private (string Name, int Line) DottedName(string what)
    {
        var first = tokens.Expect(TokenKind.Name, what);
        var name = first.Text;
        while (tokens.TryOperator(".")) name += "." + tokens.Expect(TokenKind.Name, what).Text;
        return (name, first.Line);
    }

    private T Unknown<T>(string kind, string name, int line, IEnumerable<string> known, Func<Func<JinjaException>, T> failing)
    {
        var message = $"{kind} {ErrorText.Quote(name)} is not known; known: {string.Join(", ", known)}";
        return Conditional > 0 ? failing(() => new JinjaException(message, line)) : throw new JinjaException(message, line);
    }

    private Expression After(Func<Expression> operand, out int line)
    {
        line = tokens.Take().Line;
        return operand();
    }
}
