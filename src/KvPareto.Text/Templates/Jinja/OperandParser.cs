using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>What Jinja2's operators work on: literals, names and brackets, with all that may follow one: attributes, items, calls, filters,
/// tests.</summary>
internal sealed class OperandParser(TokenReader tokens, ExpressionParser expressions)
{
    private static readonly HashSet<string> AfterTest = new(StringComparer.Ordinal) { "else", "or", "and" };

    /// <summary>A literal, a name, or what is in brackets.</summary>
    public Expression Primary()
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
                return expressions.Parenthesised(token.Line);
            case TokenKind.Operator when token.Text == "[":
                return new ListExpression(Items("]"), false, token.Line);
            case TokenKind.Operator when token.Text == "{":
                return Dict(token.Line);
            default:
                throw new JinjaException($"expected an expression, found {token.Shown}", token.Line);
        }
    }

    /// <summary>Attributes, items and calls that follow an operand.</summary>
    public Expression Postfix(Expression target)
    {
        while (true)
        {
            if (tokens.Current.IsOperator(".") || tokens.Current.IsOperator("[")) target = Subscript(target);
            else if (tokens.Current.IsOperator("(")) target = new CallExpression(target, Arguments(), target.Line);
            else return target;
        }
    }

    /// <summary>Filters and tests that follow an operand.</summary>
    public Expression FiltersAndTests(Expression target)
    {
        while (true)
        {
            if (tokens.TryOperator("|")) target = Filter(target);
            else if (tokens.Current.IsName("is")) target = Test(target);
            else if (tokens.Current.IsOperator("(")) target = new CallExpression(target, Arguments(), target.Line);
            else return target;
        }
    }

    /// <summary>The filters of a filter block or block set, from after the first <c>|</c>.</summary>
    public FilterExpression OpenFilters()
    {
        var filter = Filter(null);
        while (tokens.TryOperator("|")) filter = Filter(filter);
        return filter;
    }

    private NameExpression Name(Token token)
    {
        expressions.Names.Add(token.Text);
        return new(token.Text, token.Line);
    }

    private List<Expression> Items(string close)
    {
        var items = new List<Expression>();
        while (!tokens.TryOperator(close))
        {
            if (items.Count > 0) tokens.Operator(",");
            if (tokens.TryOperator(close)) break;
            items.Add(expressions.Parse());
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
            var key = expressions.Parse();
            tokens.Operator(":");
            items.Add((key, expressions.Parse()));
        }
        return new(items, line);
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
        var start = tokens.Current.IsOperator(":") ? null : expressions.Parse();
        if (start is not null && tokens.TryOperator("]")) return new ItemExpression(target, start, open.Line);
        tokens.Operator(":");
        var stop = tokens.Current.IsOperator(":") || tokens.Current.IsOperator("]") ? null : expressions.Parse();
        var step = tokens.TryOperator(":") && !tokens.Current.IsOperator("]") ? expressions.Parse() : null;
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
            if (tokens.TryOperator("*")) rest = rest is null ? expressions.Parse() : throw tokens.Unexpected("one '*' only");
            else if (tokens.TryOperator("**")) namedRest = expressions.Parse();
            else if (tokens.Current.Kind == TokenKind.Name && tokens.Following.IsOperator("="))
            {
                var name = tokens.Take().Text;
                tokens.Take();
                named.Add(named.Exists(n => n.Item1 == name) ? throw tokens.Unexpected($"'{name}' only once")
                    : (name, expressions.Parse()));
            }
            else if (named.Count > 0 || rest is not null) throw tokens.Unexpected("a named argument");
            else positional.Add(expressions.Parse());
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
        var message = $"{kind} {OneLine.Quote(name)} is not known; known: {string.Join(", ", known)}";
        return expressions.Conditional > 0 ? failing(() => new JinjaException(message, line)) : throw new JinjaException(message, line);
    }
}
