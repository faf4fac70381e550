using System.Runtime.InteropServices;

namespace KvPareto.Sweep.Reports.Cairo;

/// <summary>Owns a <c>cairo_surface_t</c>.</summary>
internal sealed class CairoSurfaceHandle() : SafeHandle(0, ownsHandle: true)
{
    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        CairoNative.SurfaceDestroy(handle);
        return true;
    }
}

/// <summary>Owns a <c>cairo_t</c>.</summary>
internal sealed class CairoContextHandle() : SafeHandle(0, ownsHandle: true)
{
    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        CairoNative.Destroy(handle);
        return true;
    }
}
