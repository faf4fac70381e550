using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>The parameters and body of a macro or of a call block.</summary>
/// <param name="Name">Name for messages.</param>
/// <param name="Parameters">Names and default values.</param>
/// <param name="Body">What a call renders.</param>
/// <param name="TakesMore">The body reads <c>varargs</c>, so more positional arguments are welcome.</param>
/// <param name="TakesNamed">The body reads <c>kwargs</c>, so other named arguments are welcome.</param>
/// <param name="TakesCaller">The body reads <c>caller</c>, so a call block is welcome.</param>
internal sealed record MacroDefinition(
    string Name, IReadOnlyList<(string Name, Expression? Default)> Parameters, BlockStatement Body, bool TakesMore, bool TakesNamed,
        bool TakesCaller)
{
    /// <summary>The function that renders the body in a scope over <paramref name="scope"/>.</summary>
    public JinjaFunction Bind(Scope scope) => new(Name, (state, arguments) =>
    {
        state.Enter();
        state.Step(Parameters.Count + arguments.Count);
        var inner = new Scope(state, scope);
        var named = new Dictionary<string, object?>(arguments.Named, StringComparer.Ordinal);
        for (var i = 0; i < Parameters.Count; i++)
        {
            var (name, absent) = Parameters[i];
            if (i < arguments.Positional.Count) inner.Set(name, arguments.Positional[i]);
            else if (named.Remove(name, out var given)) inner.Set(name, given);
            else inner.Set(name, absent is null ? new Undefined($"the parameter '{name}'") : absent.Evaluate(inner));
        }
        inner.Set("caller", TakesCaller && named.Remove("caller", out var caller) ? caller : new Undefined("'caller'"));
        if (!TakesMore && arguments.Positional.Count > Parameters.Count)
            throw new JinjaException($"macro '{Name}' takes not more than {Parameters.Count} arguments");
        if (!TakesNamed && named.Count > 0)
            throw new JinjaException($"macro '{Name}' has no parameter {OneLine.Quote(named.Keys.First())}");
        inner.Set("varargs", new JinjaList([.. arguments.Positional.Skip(Parameters.Count)], isTuple: true));
        inner.Set("kwargs", new JinjaDict(named.Select(static p => KeyValuePair.Create<object, object?>(p.Key, p.Value))));
        var output = new StringBuilder();
        Body.Execute(inner, output);
        state.Leave();
        return output.ToString();
    });
}

/// <summary><c>macro name(…) … endmacro</c>.</summary>
internal sealed class MacroStatement(MacroDefinition macro) : Statement
{
    public override Flow Execute(Scope scope, StringBuilder output)
    {
        scope.Set(macro.Name, macro.Bind(scope));
        return Flow.Next;
    }
}

/// <summary><c>call(…) f(…) … endcall</c>: a call that gets its body as <c>caller</c>.</summary>
internal sealed class CallStatement(CallExpression call, MacroDefinition body) : Statement
{
    public override Flow Execute(Scope scope, StringBuilder output)
    {
        try
        {
            scope.State.Write(output, scope.State.ToText(call.Call(scope, body.Bind(scope))), call.Line);
            return Flow.Next;
        }
        catch (JinjaException problem)
        {
            throw problem.At(call.Line);
        }
    }
}
