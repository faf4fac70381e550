using KvPareto.Text.Input;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>A kind of picture file.</summary>
public enum PictureFormat
{
    /// <summary>Pixels.</summary>
    Png,

    /// <summary>Lines and text, for a page in a browser.</summary>
    Svg,

    /// <summary>Lines and text with their fonts, for a paper.</summary>
    Pdf,
}

/// <summary>Names of the kinds of picture files.</summary>
public static class PictureFormats
{
    /// <summary>What is written where nothing is asked for.</summary>
    public const string Default = "png";

    /// <summary>All kinds.</summary>
    internal static readonly IReadOnlyList<PictureFormat> All = Enum.GetValues<PictureFormat>();

    /// <summary>Their names.</summary>
    public static string[] Names => [.. All.Select(Extension)];

    /// <summary>Reads <c>png,svg,pdf</c> or a part of it.</summary>
    /// <exception cref="ConfigException">A name is none of these.</exception>
    public static IReadOnlyList<PictureFormat> Parse(string names) =>
        [.. names.Split(',', StringSplitOptions.TrimEntries).Select(Single).Distinct()];

    /// <summary>The kind that a file's name ends with.</summary>
    /// <param name="option">The option, for messages.</param>
    /// <param name="file">Path.</param>
    /// <exception cref="ConfigException">It ends with none.</exception>
    internal static PictureFormat OfFile(string option, string file)
    {
        foreach (var format in All)
            if (file.EndsWith("." + Extension(format), StringComparison.OrdinalIgnoreCase)) return format;
        throw new ConfigException($"{option} '{file}'; allowed: a file whose name ends with .{string.Join(", .", All.Select(Extension))}");
    }

    /// <summary>The name's end of such a file.</summary>
    internal static string Extension(PictureFormat format) => format switch
    {
        PictureFormat.Png => "png",
        PictureFormat.Svg => "svg",
        PictureFormat.Pdf => "pdf",
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "a format without a name"),
    };

    private static PictureFormat Single(string name)
    {
        foreach (var format in All)
            if (string.Equals(name, Extension(format), StringComparison.OrdinalIgnoreCase)) return format;
        throw new ConfigException($"--format '{name}'; allowed: {string.Join(", ", Names)}, separated by commas");
    }
}
