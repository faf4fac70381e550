using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>A node of an expression.</summary>
/// <param name="line">Line in the template, from 1.</param>
internal abstract class Expression(int line)
{
    /// <summary>Line in the template, from 1.</summary>
    public int Line { get; } = line;

    /// <summary>The value within <paramref name="scope"/>.</summary>
    /// <exception cref="JinjaException">It has none; carries the line.</exception>
    public object? Evaluate(Scope scope)
    {
        try
        {
            scope.State.Step();
            return Core(scope);
        }
        catch (JinjaException problem) when (problem.Line == 0)
        {
            throw problem.At(Line);
        }
    }

    /// <summary>See <see cref="Evaluate"/>.</summary>
    protected abstract object? Core(Scope scope);
}

/// <summary>A constant.</summary>
internal sealed class LiteralExpression(object? value, int line) : Expression(line)
{
    protected override object? Core(Scope scope) => value;
}

/// <summary>A variable.</summary>
internal sealed class NameExpression(string name, int line) : Expression(line)
{
    public string Name { get; } = name;

    protected override object? Core(Scope scope) => scope.Find(Name);
}

/// <summary><c>[a, b]</c> or <c>(a, b)</c>.</summary>
internal sealed class ListExpression(IReadOnlyList<Expression> items, bool isTuple, int line) : Expression(line)
{
    public IReadOnlyList<Expression> Items { get; } = items;

    protected override object? Core(Scope scope) => new JinjaList([.. Items.Select(i => i.Evaluate(scope))], isTuple);
}

/// <summary><c>{a: b}</c>.</summary>
internal sealed class DictExpression(IReadOnlyList<(Expression Key, Expression Value)> items, int line) : Expression(line)
{
    protected override object? Core(Scope scope) =>
        new JinjaDict(items.Select(i =>
        {
            var key = Operators.Key(i.Key.Evaluate(scope));
            scope.State.Walk(key);
            return KeyValuePair.Create(key, i.Value.Evaluate(scope));
        }));
}

/// <summary><c>a.b</c>: an attribute or method first, then an item.</summary>
internal sealed class AttributeExpression(Expression target, string name, int line) : Expression(line)
{
    protected override object? Core(Scope scope) => Members.Attribute(target.Evaluate(scope), name, scope.State);
}

/// <summary><c>a[b]</c>: an item first, then an attribute or method.</summary>
internal sealed class ItemExpression(Expression target, Expression index, int line) : Expression(line)
{
    protected override object? Core(Scope scope) => Members.Item(target.Evaluate(scope), index.Evaluate(scope), scope.State);
}

/// <summary><c>a[start:stop:step]</c>.</summary>
internal sealed class SliceExpression(Expression target, Expression? start, Expression? stop, Expression? step, int line) : Expression(line)
{
    protected override object? Core(Scope scope) =>
        Members.Slice(target.Evaluate(scope), Bound(start, scope), Bound(stop, scope), Bound(step, scope) ?? 1, scope.State);

    private static long? Bound(Expression? bound, Scope scope) => bound?.Evaluate(scope) is { } value ? Values.ToLong(value) : null;
}

/// <summary>Arguments as written, <c>*a</c> and <c>**b</c> included.</summary>
internal sealed record ArgumentExpressions(
    IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named, Expression? Rest, Expression? NamedRest)
{
    /// <summary>No arguments.</summary>
    public static ArgumentExpressions None { get; } = new([], [], null, null);

    /// <summary>Evaluates from left to right.</summary>
    public Arguments Evaluate(Scope scope)
    {
        List<object?> positional = [.. Positional.Select(p => p.Evaluate(scope))];
        if (Rest is not null)
        {
            var rest = Values.Iterate(Rest.Evaluate(scope), scope.State);
            scope.State.Step(rest.Count);
            positional.AddRange(rest);
        }
        var named = Named.ToDictionary(static n => n.Name, n => n.Value.Evaluate(scope), StringComparer.Ordinal);
        if (NamedRest is not null)
            foreach (var (key, value) in (NamedRest.Evaluate(scope) as JinjaDict ?? throw new JinjaException("'**' needs a dict")).Items)
                if (!named.TryAdd(scope.State.ToText(key), value))
                    throw new JinjaException($"the argument {OneLine.Quote(scope.State.ToText(key))} is given twice");
        return new(positional, named);
    }
}

/// <summary><c>f(…)</c>.</summary>
internal sealed class CallExpression(Expression target, ArgumentExpressions arguments, int line) : Expression(line)
{
    protected override object? Core(Scope scope) => Call(scope, caller: null);

    /// <summary>Calls with the body of a call block as <c>caller</c>.</summary>
    public object? Call(Scope scope, JinjaFunction? caller)
    {
        var function = target.Evaluate(scope);
        if (function is LoopValue loop)
            function = loop.Recurse ?? throw new JinjaException("'loop' can be called only in a recursive loop");
        if (function is not JinjaFunction callable)
            throw Values.Fail(function) ?? new JinjaException($"{Values.TypeName(function)} cannot be called");
        var given = arguments.Evaluate(scope);
        if (caller is not null) given.Named["caller"] = caller;
        return callable.Call(scope.State, given);
    }
}

/// <summary><c>a | filter(…)</c>; a null target takes the text of a filter block.</summary>
internal sealed class FilterExpression(Expression? target, string name, Filter filter, ArgumentExpressions arguments, int line)
    : Expression(line)
{
    /// <summary>Filters a text.</summary>
    public object? Apply(object? value, Scope scope)
    {
        try
        {
            if (target is FilterExpression inner && inner.IsOpen) value = inner.Apply(value, scope);
            return Filters.Apply(filter, scope.State, value, arguments.Evaluate(scope));
        }
        catch (JinjaException problem) when (problem.Line == 0)
        {
            throw new JinjaException($"filter '{name}': {problem.Message}", Line);
        }
    }

    private bool IsOpen => target is null || (target is FilterExpression inner && inner.IsOpen);

    protected override object? Core(Scope scope) => Apply(target!.Evaluate(scope), scope);
}

/// <summary><c>a is test</c>.</summary>
internal sealed class TestExpression(Expression target, string name, Test test, ArgumentExpressions arguments, int line) : Expression(line)
{
    protected override object? Core(Scope scope)
    {
        try
        {
            return test(scope.State, target.Evaluate(scope), arguments.Evaluate(scope));
        }
        catch (JinjaException problem) when (problem.Line == 0)
        {
            throw new JinjaException($"test '{name}': {problem.Message}", Line);
        }
    }
}

/// <summary><c>not a</c>, <c>-a</c>, <c>+a</c>.</summary>
internal sealed class UnaryExpression(string operation, Expression operand, int line) : Expression(line)
{
    protected override object? Core(Scope scope) =>
        operation == "not" ? !Values.IsTrue(operand.Evaluate(scope)) : Operators.Sign(operation, operand.Evaluate(scope));
}

/// <summary><c>a and b</c>, <c>a or b</c>: the value that decides.</summary>
internal sealed class LogicExpression(bool isAnd, Expression left, Expression right, int line) : Expression(line)
{
    protected override object? Core(Scope scope) =>
        left.Evaluate(scope) is var first && Values.IsTrue(first) == isAnd ? right.Evaluate(scope) : first;
}

/// <summary>Arithmetic.</summary>
internal sealed class BinaryExpression(string operation, Expression left, Expression right, int line) : Expression(line)
{
    protected override object? Core(Scope scope) => Operators.Binary(operation, left.Evaluate(scope), right.Evaluate(scope), scope.State);
}

/// <summary><c>a ~ b ~ …</c>.</summary>
internal sealed class ConcatExpression(IReadOnlyList<Expression> parts, int line) : Expression(line)
{
    protected override object? Core(Scope scope)
    {
        var texts = parts.Select(p => scope.State.ToText(p.Evaluate(scope))).ToArray();
        scope.State.Text(texts.Sum(static t => (long)t.Length));
        return string.Concat(texts);
    }
}

/// <summary><c>a &lt; b &lt;= c</c>, <c>a in b</c>: each neighbour pair must hold.</summary>
internal sealed class CompareExpression(Expression first, IReadOnlyList<(string Operation, Expression Operand)> rest, int line)
    : Expression(line)
{
    protected override object? Core(Scope scope)
    {
        var left = first.Evaluate(scope);
        foreach (var (operation, operand) in rest)
        {
            var right = operand.Evaluate(scope);
            if (!Operators.Holds(operation, left, right, scope.State)) return false;
            left = right;
        }
        return true;
    }
}

/// <summary><c>a if b else c</c>.</summary>
internal sealed class ConditionalExpression(Expression test, Expression then, Expression? otherwise, int line) : Expression(line)
{
    protected override object? Core(Scope scope) => Values.IsTrue(test.Evaluate(scope))
        ? then.Evaluate(scope)
        : otherwise is null ? new Undefined("the value of an inline if without else") : otherwise.Evaluate(scope);
}
