using System.Runtime.CompilerServices;
using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>
/// What one rendering may use up. A template comes with a model, from anywhere, and is a program: steps, text and nesting are
/// bounded so that the worst of them ends in one line of error.
/// </summary>
/// <param name="globals">Variables and functions of the outermost scope.</param>
/// <param name="strict">Printing or walking what has no value fails, as with Jinja2's StrictUndefined.</param>
internal sealed class RenderState(IReadOnlyDictionary<string, object?> globals, bool strict = false)
{
    /// <summary>Units of one rendering; the published templates need about a hundred a message.</summary>
    public const long MostSteps = 5_000_000;

    /// <summary>UTF-16 units of the longest text.</summary>
    public const int LongestText = 1 << 25;

    /// <summary>Macro calls within macro calls.</summary>
    public const int DeepestCalls = 100;

    /// <summary>Numbers of the longest <c>range</c>, as in Jinja2's sandbox.</summary>
    public const int LongestRange = 100_000;

    private readonly WorkBudget _budget = new(MostSteps, LongestText, static message => new JinjaException(message));
    private int _calls;

    /// <summary>Variables and functions of the outermost scope.</summary>
    public IReadOnlyDictionary<string, object?> Globals { get; } = globals;

    /// <summary>Fails while there is still stack to do so.</summary>
    /// <param name="line">Line of the template; 0 while not known.</param>
    /// <exception cref="JinjaException">Nested too deeply.</exception>
    public static void EnsureStack(int line = 0)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw new JinjaException("nested too deeply", line);
    }

    /// <summary>Counts steps.</summary>
    /// <exception cref="JinjaException">Too many, or nested too deeply.</exception>
    public void Step(long count = 1)
    {
        _budget.Spend(count);
        EnsureStack();
    }

    /// <summary>Counts text that is about to be walked or made.</summary>
    /// <exception cref="JinjaException">Too long.</exception>
    public void Text(long length) => _budget.Text(length);

    /// <summary>Checks the length of a text that grows piece by piece.</summary>
    /// <exception cref="JinjaException">Too long.</exception>
    public void CheckLength(long length) => _budget.CheckLength(length);

    /// <summary>Counts values that are about to be walked, with all that is within them.</summary>
    public void Walk(object? value) => Step(JinjaContainer.PartsOf(value));

    /// <summary><see cref="Values.AreEqual"/> with its cost counted.</summary>
    public bool AreEqual(object? a, object? b)
    {
        Step(Math.Min(JinjaContainer.PartsOf(a), JinjaContainer.PartsOf(b)));
        return Values.AreEqual(a, b);
    }

    /// <summary><see cref="Values.Compare"/> with its cost counted.</summary>
    public int Compare(object? a, object? b)
    {
        Step(Math.Min(JinjaContainer.PartsOf(a), JinjaContainer.PartsOf(b)));
        return Values.Compare(a, b);
    }

    /// <summary>Looks a key up; it may be a tuple or a long text.</summary>
    public bool TryGet(JinjaDict dict, object? key, out object? value)
    {
        Walk(key);
        Require(key);
        value = null;
        return key is not (null or Undefined) && dict.Items.TryGetValue(Operators.Key(key), out value);
    }

    /// <summary>Fails where nothing may be made of what has no value.</summary>
    /// <exception cref="JinjaException">The rendering is strict, and there is no value.</exception>
    public void Require(object? value)
    {
        if (strict && Values.Fail(value) is { } missing) throw missing;
    }

    /// <summary><see cref="Values.ToText"/> with its cost counted.</summary>
    public string ToText(object? value)
    {
        Require(value);
        Walk(value);
        return Values.ToText(value);
    }

    /// <summary>Appends to an output.</summary>
    /// <exception cref="JinjaException">It becomes too long.</exception>
    public void Write(StringBuilder output, string text, int line)
    {
        try
        {
            _budget.CheckLength((long)output.Length + text.Length);
            Step();
            Text(text.Length);
        }
        catch (JinjaException problem)
        {
            throw problem.At(line);
        }
        output.Append(text);
    }

    /// <summary>Enters a macro.</summary>
    /// <exception cref="JinjaException">Too many within each other.</exception>
    public void Enter()
    {
        if (++_calls > DeepestCalls) throw new JinjaException($"more than {DeepestCalls} macro calls within each other");
    }

    /// <summary>Leaves a macro.</summary>
    public void Leave() => _calls--;
}

/// <summary>Variables of a template, a loop's body or a macro's, over those around it.</summary>
internal sealed class Scope(RenderState state, Scope? parent = null)
{
    private readonly Dictionary<string, object?> _variables = new(StringComparer.Ordinal);

    /// <summary>The rendering.</summary>
    public RenderState State { get; } = state;

    /// <summary>The value of a name; an <see cref="Undefined"/> where it has none.</summary>
    public object? Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope._variables.TryGetValue(name, out var value)) return value;
            State.Step();
        }
        return State.Globals.TryGetValue(name, out var global) ? global : new Undefined($"'{name}'");
    }

    /// <summary>Sets a name in this scope.</summary>
    public void Set(string name, object? value) => _variables[name] = value;

    private Scope? Parent { get; } = parent;
}
