using System.Text;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>How a statement ended.</summary>
internal enum Flow
{
    /// <summary>At its end.</summary>
    Next,

    /// <summary>At <c>break</c>.</summary>
    Break,

    /// <summary>At <c>continue</c>.</summary>
    Continue,
}

/// <summary>A node that writes.</summary>
internal abstract class Statement
{
    /// <summary>Writes what it renders to.</summary>
    public abstract Flow Execute(Scope scope, StringBuilder output);

    /// <summary>Sets what stands left of an assignment.</summary>
    /// <param name="target">Name, tuple of names, or attribute of a namespace.</param>
    /// <param name="value">Value.</param>
    /// <param name="scope">Scope.</param>
    public static void Assign(Expression target, object? value, Scope scope)
    {
        switch (target)
        {
            case NameExpression name:
                scope.Set(name.Name, value);
                break;
            case NamespaceTarget attribute:
                attribute.Set(scope, value);
                break;
            case ListExpression names:
                var items = Values.Iterate(value, scope.State);
                if (items.Count != names.Items.Count)
                    throw new JinjaException($"{names.Items.Count} names for {items.Count} values", target.Line);
                for (var i = 0; i < items.Count; i++) Assign(names.Items[i], items[i], scope);
                break;
        }
    }
}

/// <summary><c>ns.name</c> left of an assignment.</summary>
internal sealed class NamespaceTarget(string space, string name, int line) : Expression(line)
{
    /// <summary>Sets the attribute.</summary>
    public void Set(Scope scope, object? value) =>
        (scope.Find(space) as JinjaNamespace ?? throw new JinjaException($"'{space}' is not a namespace", Line)).Attributes[name] = value;

    protected override object? Core(Scope scope) => throw new JinjaException("only assigned to");
}

/// <summary>Statements one after the other.</summary>
internal sealed class BlockStatement(IReadOnlyList<Statement> statements) : Statement
{
    public override Flow Execute(Scope scope, StringBuilder output)
    {
        scope.State.Step();
        foreach (var statement in statements)
            if (statement.Execute(scope, output) is var flow and not Flow.Next) return flow;
        return Flow.Next;
    }

    /// <summary>What the block writes, in a scope of its own.</summary>
    public string Capture(Scope scope)
    {
        var output = new StringBuilder();
        Execute(new Scope(scope.State, scope), output);
        return output.ToString();
    }
}

/// <summary>Text outside tags.</summary>
internal sealed class TextStatement(string text, int line) : Statement
{
    public override Flow Execute(Scope scope, StringBuilder output)
    {
        scope.State.Write(output, text, line);
        return Flow.Next;
    }
}

/// <summary><c>{{ value }}</c>.</summary>
internal sealed class OutputStatement(Expression value) : Statement
{
    public override Flow Execute(Scope scope, StringBuilder output)
    {
        var result = value.Evaluate(scope);
        try
        {
            scope.State.Write(output, scope.State.ToText(result), value.Line);
        }
        catch (JinjaException problem)
        {
            throw problem.At(value.Line);
        }
        return Flow.Next;
    }
}

/// <summary><c>if … elif … else</c>.</summary>
internal sealed class IfStatement(IReadOnlyList<(Expression Test, Statement Body)> branches, Statement? otherwise) : Statement
{
    public override Flow Execute(Scope scope, StringBuilder output)
    {
        foreach (var (test, body) in branches)
            if (Values.IsTrue(test.Evaluate(scope))) return body.Execute(scope, output);
        return otherwise?.Execute(scope, output) ?? Flow.Next;
    }
}

/// <summary><c>set a = b</c>.</summary>
internal sealed class SetStatement(Expression target, Expression value) : Statement
{
    public override Flow Execute(Scope scope, StringBuilder output)
    {
        Assign(target, value.Evaluate(scope), scope);
        return Flow.Next;
    }
}

/// <summary><c>set a … endset</c>, with or without filters.</summary>
internal sealed class CaptureStatement(Expression target, FilterExpression? filter, BlockStatement body) : Statement
{
    public override Flow Execute(Scope scope, StringBuilder output)
    {
        var text = body.Capture(scope);
        Assign(target, filter is null ? text : filter.Apply(text, scope), scope);
        return Flow.Next;
    }
}

/// <summary><c>filter f … endfilter</c>.</summary>
internal sealed class FilterStatement(FilterExpression filter, BlockStatement body) : Statement
{
    public override Flow Execute(Scope scope, StringBuilder output)
    {
        var text = filter.Apply(body.Capture(scope), scope) as string ?? throw new JinjaException("gives no str", filter.Line);
        scope.State.Write(output, text, filter.Line);
        return Flow.Next;
    }
}

/// <summary><c>with a = b … endwith</c>, and <c>generation … endgeneration</c>, which only marks what the model wrote.</summary>
internal sealed class WithStatement(IReadOnlyList<(Expression Target, Expression Value)> assignments, BlockStatement body) : Statement
{
    public override Flow Execute(Scope scope, StringBuilder output)
    {
        var inner = new Scope(scope.State, scope);
        foreach (var (target, value) in assignments) Assign(target, value.Evaluate(scope), inner);
        return body.Execute(inner, output);
    }
}

/// <summary><c>break</c> or <c>continue</c>.</summary>
internal sealed class JumpStatement(Flow flow) : Statement
{
    public override Flow Execute(Scope scope, StringBuilder output) => flow;
}
