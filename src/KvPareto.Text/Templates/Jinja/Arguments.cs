namespace KvPareto.Text.Templates.Jinja;

/// <summary>The arguments of a call.</summary>
/// <param name="Positional">In order.</param>
/// <param name="Named">By name.</param>
internal sealed record Arguments(List<object?> Positional, Dictionary<string, object?> Named)
{
    /// <summary>How many were given.</summary>
    public int Count => Positional.Count + Named.Count;

    /// <summary>Values given, with all that is within them.</summary>
    public long Parts =>
        Positional.Sum(static a => (long)JinjaContainer.PartsOf(a)) + Named.Values.Sum(static a => (long)JinjaContainer.PartsOf(a));

    /// <summary>An argument by place or name.</summary>
    public object? Get(int index, string name, object? absent = null) =>
        index < Positional.Count ? Positional[index] : Named.GetValueOrDefault(name, absent);

    /// <summary>An argument that must be given.</summary>
    public object? Required(int index, string name) =>
        index < Positional.Count ? Positional[index] : Named.TryGetValue(name, out var value) ? value
            : throw new JinjaException($"the argument '{name}' is missing");

    /// <summary>A string.</summary>
    public string Text(int index, string name, string? absent = null) => Get(index, name, absent) switch
    {
        string text => text,
        null => throw new JinjaException($"the argument '{name}' is missing"),
        var value => throw Values.Fail(value) ?? new JinjaException($"the argument '{name}' is {Values.TypeName(value)}, not str"),
    };

    /// <summary>An int, or the default where it is absent or none.</summary>
    public long Whole(int index, string name, long absent) => Get(index, name) is { } value ? Values.ToLong(value) : absent;

    /// <summary>The truth of an argument; false where it is absent.</summary>
    public bool Flag(int index, string name) => Values.IsTrue(Get(index, name));

    /// <summary>Refuses more than <paramref name="most"/> arguments.</summary>
    public Arguments AtMost(int most) => Count <= most ? this : throw new JinjaException($"{Count} arguments given, at most {most} taken");
}
