using System.Text;

namespace KvPareto.Text.Templates.Jinja;

/// <summary><c>for target in items if test recursive … else … endfor</c>.</summary>
internal sealed class LoopStatement(
    Expression target, Expression items, Expression? test, bool recursive, BlockStatement body, Statement? otherwise) : Statement
{
    public override Flow Execute(Scope scope, StringBuilder output) => Run(scope, items.Evaluate(scope), 0, output);

    // As Jinja2 has it, the else is for loops of which no turn came to its end: also where all were broken or continued.
    private Flow Run(Scope scope, object? source, int depth, StringBuilder output)
    {
        var (selected, ended) = (Select(scope, source), false);
        var loop = new LoopValue(selected, depth, recursive ? new JinjaFunction("loop", (_, a) => Recurse(scope, a, depth + 1)) : null);
        for (var i = 0; i < selected.Count; i++)
        {
            loop.Index = i;
            var inner = new Scope(scope.State, scope);
            inner.Set("loop", loop);
            Assign(target, selected[i], inner);
            var flow = body.Execute(inner, output);
            if (flow == Flow.Break) break;
            ended |= flow == Flow.Next;
        }
        return ended || otherwise is null ? Flow.Next : otherwise.Execute(new Scope(scope.State, scope), output);
    }

    private List<object?> Select(Scope scope, object? source)
    {
        List<object?> all;
        try
        {
            all = Values.Iterate(source, scope.State);
        }
        catch (JinjaException problem)
        {
            throw problem.At(items.Line);
        }
        if (test is null) return all;
        var inner = new Scope(scope.State, scope);
        return all.FindAll(item =>
        {
            Assign(target, item, inner);
            return Values.IsTrue(test.Evaluate(inner));
        });
    }

    private string Recurse(Scope scope, Arguments arguments, int depth)
    {
        scope.State.Enter();
        var output = new StringBuilder();
        Run(scope, arguments.Required(0, "iterable"), depth, output);
        scope.State.Leave();
        return output.ToString();
    }
}
