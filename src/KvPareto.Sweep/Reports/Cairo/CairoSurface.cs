using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvPareto.Sweep.Reports.Cairo;

/// <summary>What a canvas draws on: here an image. Drawing itself does not depend on the kind of surface.</summary>
internal sealed unsafe class CairoSurface : IDisposable
{
    private CairoSurface(CairoSurfaceHandle handle) => Handle = handle;

    /// <summary>The native surface, for <see cref="Canvas"/>.</summary>
    internal CairoSurfaceHandle Handle { get; }

    /// <summary>An opaque image; black until painted.</summary>
    /// <param name="width">Pixels, at most 32,767.</param>
    /// <param name="height">Pixels, at most 32,767.</param>
    /// <exception cref="CairoException">The size is not possible or memory is out.</exception>
    /// <exception cref="DllNotFoundException">libcairo.so.2 is not there.</exception>
    public static CairoSurface Image(int width, int height)
    {
        var surface = new CairoSurface(CairoNative.ImageSurfaceCreate(CairoNative.FormatRgb24, width, height));
        CairoException.ThrowIfFailed(CairoNative.SurfaceStatus(surface.Handle), $"cairo_image_surface_create({width} x {height})");
        return surface;
    }

    /// <summary>The image as PNG.</summary>
    /// <exception cref="CairoException">The image cannot be coded.</exception>
    public byte[] ToPng()
    {
        CairoNative.SurfaceFlush(Handle);
        using var png = new MemoryStream();
        var closure = GCHandle.Alloc(png);
        try
        {
            var status = CairoNative.SurfaceWriteToPngStream(Handle, &Append, GCHandle.ToIntPtr(closure));
            CairoException.ThrowIfFailed(status, "cairo_surface_write_to_png_stream");
        }
        finally
        {
            closure.Free();
        }
        return png.ToArray();
    }

    /// <inheritdoc/>
    public void Dispose() => Handle.Dispose();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Append(nint closure, byte* data, uint length)
    {
        try
        {
            ((MemoryStream)GCHandle.FromIntPtr(closure).Target!).Write(new ReadOnlySpan<byte>(data, checked((int)length)));
            return CairoNative.StatusSuccess;
        }
        catch (Exception error) when (error is OutOfMemoryException or IOException or OverflowException)
        {
            // An exception must not pass through native frames.
            return CairoNative.StatusWriteError;
        }
    }
}
