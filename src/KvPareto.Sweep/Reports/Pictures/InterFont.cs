using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using ScottPlot;
using SkiaSharp;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>
/// Inter, regular and bold, from the package Avalonia.Fonts.Inter, which travels inside the program: pictures are the same on every
/// machine, and none is ever drawn with a machine's own fonts.
/// </summary>
internal sealed class InterFont : IFontResolver
{
    /// <summary>Family name.</summary>
    public const string Name = "Inter";

    private const string Package = "Avalonia.Fonts.Inter.dll";
    private const string Resource = "!AvaloniaResources";
    private const int IndexVersion = 2;

    // ScottPlot's list of fonts is one for the process, and not made for several threads.
    private static readonly Lazy<InterFont> Loaded = new(() =>
    {
        var font = Load();
        Fonts.FontResolvers.Insert(0, font);
        Fonts.Default = Name;
        return font;
    });

    private readonly SKTypeface _regular;
    private readonly SKTypeface _bold;

    private InterFont(SKTypeface regular, SKTypeface bold) => (_regular, _bold) = (regular, bold);

    /// <summary>The face of one weight.</summary>
    /// <exception cref="PictureException">The font did not travel with the program, or is no font.</exception>
    public static SKTypeface Face(bool bold) => bold ? Loaded.Value._bold : Loaded.Value._regular;

    /// <summary>Makes ScottPlot draw all text with this font.</summary>
    /// <exception cref="PictureException">The font did not travel with the program, or is no font.</exception>
    public static void Use() => _ = Loaded.Value;

    /// <inheritdoc/>
    public SKTypeface CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) =>
        weight >= FontWeight.SemiBold ? _bold : _regular;

    /// <inheritdoc/>
    public SKTypeface CreateTypeface(string fontName, bool bold, bool italic) => bold ? _bold : _regular;

    private static InterFont Load()
    {
        try
        {
            using var package = typeof(InterFont).Assembly.GetManifestResourceStream(Package)
                ?? throw new InvalidDataException($"the program has no {Package}");
            using var resources = Resources(package);
            return new(Read(resources, "/Assets/Inter-Regular.ttf"), Read(resources, "/Assets/Inter-Bold.ttf"));
        }
        catch (Exception error) when (error is IOException or BadImageFormatException or InvalidDataException)
        {
            throw new PictureException($"the font of the pictures is not there: {error.Message}", error);
        }
    }

    /// <summary>The resources of an assembly that is not loaded.</summary>
    private static MemoryStream Resources(Stream assembly)
    {
        using var file = new PEReader(assembly, PEStreamOptions.LeaveOpen);
        var metadata = file.GetMetadataReader();
        foreach (var resource in metadata.ManifestResources.Select(metadata.GetManifestResource))
        {
            if (metadata.GetString(resource.Name) != Resource) continue;
            var place = file.PEHeaders.CorHeader!.ResourcesDirectory.RelativeVirtualAddress;
            var data = file.GetSectionData(place).GetReader();
            data.Offset = checked((int)resource.Offset);
            return new(data.ReadBytes(data.ReadInt32()), writable: false);
        }
        throw new InvalidDataException($"{Package} has no {Resource}");
    }

    /// <summary>
    /// Reads a file of Avalonia's resources: length of the index, its version, a count, then name, offset and length of each file;
    /// offsets count from the index's end.
    /// </summary>
    private static SKTypeface Read(Stream resources, string name)
    {
        resources.Position = 0;
        using var reader = new BinaryReader(resources, Encoding.UTF8, leaveOpen: true);
        var start = sizeof(int) + reader.ReadInt32();
        if (reader.ReadInt32() is not IndexVersion and var version) throw new InvalidDataException($"{Resource} is of version {version}");
        for (var files = reader.ReadInt32(); files > 0; files--)
        {
            var (file, offset, length) = (reader.ReadString(), reader.ReadInt32(), reader.ReadInt32());
            if (file != name) continue;
            resources.Position = start + offset;
            using var font = SKData.CreateCopy(reader.ReadBytes(length));
            return SKTypeface.FromData(font) ?? throw new InvalidDataException($"{name} is no font");
        }
        throw new InvalidDataException($"{Package} has no {name}");
    }
}
