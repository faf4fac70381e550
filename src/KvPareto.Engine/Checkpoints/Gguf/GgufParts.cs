using System.Globalization;
using System.Text.RegularExpressions;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>
/// The parts of a model that llama.cpp's <c>gguf-split</c> made: <c>NAME-00001-of-00003.gguf</c> and so on, keys <c>split.no</c> (from 0),
/// <c>split.count</c> and <c>split.tensors.count</c> in each, all other keys in the first.
/// </summary>
internal static partial class GgufParts
{
    private const string NumberKey = "split.no";
    private const string CountKey = "split.count";
    private const string TensorsKey = "split.tensors.count";
    private const int MostParts = 9999;

    /// <summary>A model's name without the number of a part.</summary>
    public static string NameOf(string path) => PartName().Replace(Path.GetFileNameWithoutExtension(path), "");

    /// <summary>The files that <see cref="GgufFile.Open"/> reads, in order, by their names alone; those that are missing are left
    /// out.</summary>
    public static string[] ByName(string path)
    {
        if (PartName().Match(Path.GetFileNameWithoutExtension(path)) is not { Success: true } name) return [path];
        var count = Math.Min(MostParts, int.Parse(name.ValueSpan[^5..], NumberStyles.None, CultureInfo.InvariantCulture));
        string[] parts = [.. Parts(path, count).Where(File.Exists)];
        return parts.Contains(path) ? parts : [path];
    }

    /// <summary>All parts of the model that <paramref name="path"/> is a part of, in order; itself where it is whole.</summary>
    /// <exception cref="ConfigException">A part is missing, or the file is not called as parts are.</exception>
    public static string[] Of(string path, GgufMetadata metadata)
    {
        var count = metadata.Integer(CountKey, 0, MostParts, 1);
        if (count <= 1) return [path];
        var number = metadata.Integer(NumberKey, 0, count - 1);
        var stem = Path.GetFileNameWithoutExtension(path);
        if (!stem.EndsWith(Suffix(number, count), StringComparison.Ordinal))
            throw new ConfigException(
                $"{path}: is part {number + 1} of {count} of a split model; allowed: a name that ends with "
                    + $"{Suffix(number, count)}.gguf, and the other parts beside it");
        var parts = Parts(path, count);
        if (Array.FindIndex(parts, part => !File.Exists(part)) is >= 0 and var missing)
            throw new ConfigException(
                $"{path}: is part {number + 1} of {count} of a split model, and part {missing + 1} ({Path.GetFileName(parts[missing])}) "
                    + "is missing; allowed: all parts in one folder");
        return parts;
    }

    /// <summary>Refuses a file that is not part <paramref name="index"/> of its model.</summary>
    /// <exception cref="ConfigException">Its keys say so.</exception>
    public static void Check(string[] parts, int index, GgufMetadata metadata)
    {
        if (metadata.Integer(CountKey, 0, MostParts, 0) != parts.Length)
            throw metadata.Refuse(CountKey, $"{parts.Length}, as in the other parts");
        if (metadata.Integer(NumberKey, 0, MostParts) != index) throw metadata.Refuse(NumberKey, $"{index}, as the file's name says");
    }

    /// <summary>Refuses parts that together have another number of tensors than the first one says.</summary>
    /// <exception cref="ConfigException">They do.</exception>
    public static void CheckTensors(GgufMetadata first, int tensors)
    {
        if (first.Has(TensorsKey) && first.Integer(TensorsKey, 0, int.MaxValue) != tensors)
            throw first.Refuse(TensorsKey, $"{tensors}, as the parts have");
    }

    private static string[] Parts(string path, int count)
    {
        var stem = Path.Combine(Path.GetDirectoryName(path) ?? "", NameOf(path));
        return [.. Enumerable.Range(0, count).Select(i => stem + Suffix(i, count) + Path.GetExtension(path))];
    }

    private static string Suffix(int index, int count) =>
        string.Create(CultureInfo.InvariantCulture, $"-{index + 1:00000}-of-{count:00000}");

    [GeneratedRegex(@"-[0-9]{5}-of-[0-9]{5}\z")]
    private static partial Regex PartName();
}
