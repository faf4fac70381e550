using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace KvPareto.Engine.Model;

/// <summary>How a checkpoint itself has its linear layers coded, as names and results call it: <c>awq4g128</c>, <c>q4_k_m</c>.</summary>
/// <param name="Word">Its word.</param>
/// <param name="Method"><c>awq</c> or <c>gguf</c>.</param>
/// <param name="Bits">Of a code, as the word says; a mixed file has others too.</param>
/// <param name="Group">Input channels that share a scale, for AWQ; 0 for whole rows, and where the format has blocks of its own.</param>
public sealed partial record WeightForm(string Word, string Method, int Bits, int Group)
{
    /// <summary>Words that there are, for messages.</summary>
    public const string Words = "awq4g128 (AWQ's bits and group; awq4row for whole rows), q4_k_m (a GGUF file's type)";

    /// <summary>That of packed linear layers.</summary>
    public static WeightForm Of(AwqConfig packing) => Awq(packing.Bits, Math.Max(0, packing.GroupSize));

    /// <summary>AWQ with this many bits and group.</summary>
    public static WeightForm Awq(int bits, int group) =>
        new(string.Create(CultureInfo.InvariantCulture, $"awq{bits}{(group == 0 ? "row" : $"g{group}")}"), "awq", bits, group);

    /// <summary>That of a GGUF file.</summary>
    /// <param name="type">Type as ggml names it, for example Q4_K_M.</param>
    public static WeightForm Gguf(string type) =>
        TryRead(type.ToLowerInvariant(), out var form, out var rest) && rest.Length == 0 && form.Method == "gguf"
        ? form
        : throw new ArgumentException($"'{type}' is no type of a GGUF file", nameof(type));

    /// <summary>Reads the word at the beginning of a text.</summary>
    /// <param name="text">Text.</param>
    /// <param name="form">What it says; null where it says none.</param>
    /// <param name="rest">What follows the word.</param>
    public static bool TryRead(string text, [NotNullWhen(true)] out WeightForm? form, out string rest)
    {
        (form, rest) = (null, "");
        if (Pattern().Match(text) is not { Success: true } match) return false;
        rest = text[match.Length..];
        var bits = int.Parse(match.Groups["bits"].Value, CultureInfo.InvariantCulture);
        if (match.Groups["type"].Success) form = new(match.Value, "gguf", bits, 0);
        else if (!match.Groups["group"].Success) form = Awq(bits, 0);
        else if (int.Parse(match.Groups["group"].Value, CultureInfo.InvariantCulture) is > 0 and var group
            && group % AwqConfig.GroupStep == 0) form = Awq(bits, group);
        return form is not null;
    }

    [GeneratedRegex(
        @"\A(awq(?<bits>[48])(row|g(?<group>[1-9][0-9]{0,6}))|(?<type>i?q(?<bits>[2-8])_([01]|k(_[sml])?|nl|xs)|b?f(?<bits>16)|f"
            + @"(?<bits>32)))", RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();
}
