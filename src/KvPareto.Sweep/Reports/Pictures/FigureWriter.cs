using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using KvPareto.Sweep.Storage;
using SkiaSharp;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>Writes figures: pictures of every format by one drawing code, the same bytes for the same figure on every machine.</summary>
internal static partial class FigureWriter
{
    private const float PixelsPerPoint = 3;

    /// <summary>Writes a figure's pictures and takes away those of an earlier report, which would contradict it.</summary>
    /// <param name="folder">A folder that is there.</param>
    /// <param name="figure">What to draw; where it has nothing, no picture is written.</param>
    /// <param name="formats">The kinds of pictures.</param>
    /// <returns>Full paths of the files written.</returns>
    /// <exception cref="PictureException">The pictures' font or SkiaSharp's library is not there.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static IReadOnlyList<string> Write(string folder, Figure figure, IReadOnlyList<PictureFormat> formats)
    {
        var files = new List<string>();
        foreach (var format in PictureFormats.All)
        {
            var path = Path.GetFullPath(Path.Combine(folder, $"{figure.Name}.{PictureFormats.Extension(format)}"));
            if (figure.Missing is not null || !formats.Contains(format))
            {
                File.Delete(path);
                continue;
            }
            AtomicFile.Write(path, Draw(figure, format));
            files.Add(path);
        }
        return files;
    }

    /// <summary>A figure as the bytes of a picture file.</summary>
    /// <exception cref="PictureException">The pictures' font or SkiaSharp's library is not there.</exception>
    public static byte[] Draw(Figure figure, PictureFormat format)
    {
        try
        {
            var page = new Page(figure);
            return format switch
            {
                PictureFormat.Png => Png(page),
                PictureFormat.Svg => Svg(page),
                PictureFormat.Pdf => Pdf(page, figure.Title),
                _ => throw new ArgumentOutOfRangeException(nameof(format), format, "a format that nothing draws"),
            };
        }
        catch (Exception error) when (error.GetBaseException() is DllNotFoundException) // of a type that another type begins with
        {
            throw new PictureException($"{figure.Name} was not drawn: SkiaSharp's library is not there or not for this machine", error);
        }
    }

    private static byte[] Png(Page page)
    {
        var size = new SKImageInfo(
            (int)Math.Ceiling(page.Width * PixelsPerPoint), (int)Math.Ceiling(page.Height * PixelsPerPoint), SKColorType.Rgba8888,
                SKAlphaType.Opaque);
        using var surface = SKSurface.Create(size)
            ?? throw new PictureException($"no memory for a picture of {size.Width} x {size.Height} pixels");
        surface.Canvas.Scale(PixelsPerPoint);
        page.Draw(new(surface.Canvas, Outlines: false));
        using var image = surface.Snapshot();
        using var bytes = image.Encode(SKEncodedImageFormat.Png, 100);
        return bytes.ToArray();
    }

    private static byte[] Svg(Page page)
    {
        using var bytes = new MemoryStream();
        using (var canvas = SKSvgCanvas.Create(SKRect.Create((float)page.Width, (float)page.Height), bytes))
            page.Draw(new(canvas, Outlines: true));
        // Skia counts clips over the whole process: the same figure would not give the same bytes twice.
        var numbers = new Dictionary<string, int>();
        return Encoding.UTF8.GetBytes(ClipName().Replace(Encoding.UTF8.GetString(bytes.ToArray()), name =>
        {
            if (!numbers.TryGetValue(name.Value, out var number)) numbers.Add(name.Value, number = numbers.Count);
            return string.Create(CultureInfo.InvariantCulture, $"clip{number}");
        }));
    }

    // Text is drawn as outlines, so nothing of a name can look like this.
    [GeneratedRegex(@"\bcl_[0-9a-f]+\b")]
    private static partial Regex ClipName();

    private static byte[] Pdf(Page page, string title)
    {
        using var bytes = new MemoryStream();
        // No time of making: the same figure gives the same bytes.
        var about = new SKDocumentPdfMetadata
        {
            Title = title,
            Creator = "kvpareto",
            RasterDpi = 300,
            EncodingQuality = 101,
            Creation = null,
            Modified = null
        };
        using (var document = SKDocument.CreatePdf(bytes, about))
        {
            page.Draw(new(document.BeginPage((float)page.Width, (float)page.Height), Outlines: false));
            document.EndPage();
            document.Close();
        }
        return bytes.ToArray();
    }
}
