namespace KvPareto.Tasks.Synthetic;

/// <summary>What a synthetic question asks for.</summary>
public enum SyntheticKind
{
    /// <summary>One sentence of the text holds the answer.</summary>
    Fact,

    /// <summary>Two sentences, found one through the other, hold the answer.</summary>
    TwoHop,

    /// <summary>How often an event is told, 1 to 9 times.</summary>
    Count,

    /// <summary>The label that the text's examples give to things of the same sort.</summary>
    Label,
}

/// <summary>Names of the kinds in configs, rows and results.</summary>
internal static class SyntheticKindNames
{
    /// <summary>All names, in the order of <see cref="SyntheticKind"/>.</summary>
    public static readonly string[] All = ["fact", "two-hop", "count", "label"];

    /// <summary>The name of a kind.</summary>
    public static string Of(SyntheticKind kind) => All[(int)kind];

    /// <summary>The kind of a name; false where there is none.</summary>
    public static bool TryParse(string name, out SyntheticKind kind)
    {
        var index = Array.IndexOf(All, name);
        kind = index < 0 ? default : (SyntheticKind)index;
        return index >= 0;
    }
}
