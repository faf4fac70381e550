using KvPareto.Tasks.Niah;

namespace KvPareto.Tasks.Tests.Niah;

/// <summary>The prompts of the reference runs: the needle stands at a share of the haystack's characters, wherever in a sentence.</summary>
internal static class ReferencePrompt
{
    public static string Of(string haystack, int characters, double depth)
    {
        var text = haystack.EnumerateRunes().Take(characters).ToList();
        var place = (int)(characters * depth / 100);
        return Needle.Sandwich.PromptOver(string.Concat(text.Take(place)) + Needle.Sandwich.Text + string.Concat(text.Skip(place)));
    }
}
