using KvPareto.Engine.Model;

namespace KvPareto.Engine.Settings;

/// <summary>The words of weight precision: <c>w16</c>, <c>w4</c>, <c>w4g64</c>, and those of <see cref="WeightForm"/>.</summary>
internal static class SettingWeights
{
    /// <summary>What a short name adds: activations are never coded.</summary>
    public const string Activations = "a16";

    /// <summary>The word; the default group is left out, and so is that of 16 bits, which only a coded embedding has.</summary>
    public static string Word(WeightSpec weights) =>
        (weights.Form?.Word ?? $"w{weights.Bits}")
            + (weights.Group == WeightSpec.DefaultGroup || !weights.IsCoded ? "" : $"g{weights.Group}");

    /// <summary>Reads a word; a group of 16-bit layers is allowed, for the embedding's sake.</summary>
    public static bool TryRead(string word, out WeightSpec weights)
    {
        weights = WeightSpec.Full;
        var (bits, group) = (16, WeightSpec.DefaultGroup);
        var isForm = WeightForm.TryRead(word, out var form, out var rest);
        if (!isForm && word is not ['w', .. var _]) return false;
        var parts = (isForm ? rest : word[1..]).Split('g');
        if (parts.Length > 2) return false;
        if (isForm ? parts[0].Length > 0 : !SettingNumber.TryRead(parts[0], out bits) || !WeightSpec.AllBits.Contains(bits)) return false;
        if (parts.Length == 2 && (!SettingNumber.TryRead(parts[1], out group) || !WeightSpec.Groups.Contains(group))) return false;
        weights = new(bits, group) { Form = isForm ? form : null };
        return true;
    }

    /// <summary>Reads the part of a short name.</summary>
    public static bool TryReadPart(string part, out WeightSpec weights)
    {
        weights = WeightSpec.Full;
        return part.EndsWith(Activations, StringComparison.Ordinal) && TryRead(part[..^Activations.Length], out weights);
    }
}
