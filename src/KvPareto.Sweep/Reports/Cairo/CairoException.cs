using System.Runtime.InteropServices;

namespace KvPareto.Sweep.Reports.Cairo;

/// <summary>A call of cairo that failed: its name, the status' number and text.</summary>
internal sealed class CairoException(string message) : Exception(message)
{
    /// <summary>Throws unless <paramref name="status"/> is that of success.</summary>
    public static void ThrowIfFailed(int status, string call)
    {
        if (status == CairoNative.StatusSuccess) return;
        var text = Marshal.PtrToStringUTF8(CairoNative.StatusToString(status)) ?? "unknown status";
        throw new CairoException($"{call}: status {status.ToString(System.Globalization.CultureInfo.InvariantCulture)}, {text}");
    }
}
