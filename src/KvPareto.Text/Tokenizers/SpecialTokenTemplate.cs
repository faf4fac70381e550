using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers;

/// <summary>What a TemplateProcessing makes of a text's ids: special tokens, and the place of the ids among them.</summary>
/// <param name="Parts">Ids to insert; null stands for the text.</param>
internal sealed record SpecialTokenTemplate(IReadOnlyList<int[]?> Parts)
{
    /// <summary>The ids with the special tokens around them.</summary>
    public List<int> Apply(List<int> ids, WorkBudget budget)
    {
        budget.Spend(Parts.Sum(part => (long)(part?.Length ?? ids.Count)));
        var result = new List<int>(ids.Count + Parts.Count);
        foreach (var part in Parts) result.AddRange(part ?? (IEnumerable<int>)ids);
        return result;
    }
}
