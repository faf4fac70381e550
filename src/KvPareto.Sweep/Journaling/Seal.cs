using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace KvPareto.Sweep.Journaling;

/// <summary>
/// What a record's line ends with: <c>"line":N,"sum":"…"</c>, its number in the file and the first 16 hex digits of SHA-256 over the
/// subject of the file, the number and the record. A line that was changed, lost, doubled or moved does not fit, and each line can be
/// judged without the others.
/// </summary>
internal static class Seal
{
    /// <summary>Hex digits of a checksum.</summary>
    public const int SumLength = 16;

    private static readonly int TailLength = Tail(new string('0', SumLength)).Length;

    /// <summary>What a seal says.</summary>
    /// <param name="Json">The record.</param>
    /// <param name="Line">Number of its line, from 1.</param>
    /// <param name="Fits">The checksum is that of this record, line and subject.</param>
    public readonly record struct Sealed(byte[] Json, int Line, bool Fits);

    /// <summary>A line: the record with its seal.</summary>
    /// <param name="json">A JSON object that is not empty.</param>
    /// <param name="subject">What the file is of.</param>
    /// <param name="line">From 1.</param>
    public static byte[] Close(ReadOnlySpan<byte> json, string subject, int line)
    {
        var number = string.Create(CultureInfo.InvariantCulture, $",\"line\":{line}");
        return [.. json[..^1], .. Encoding.ASCII.GetBytes(number + Tail(SumOf(json, subject, line)))];
    }

    /// <summary>Takes a line's seal off; null where it has none.</summary>
    public static Sealed? Open(ReadOnlySpan<byte> line, string subject)
    {
        if (line.Length <= TailLength) return null;
        var head = line[..^TailLength];
        var tail = line[^TailLength..];
        var sum = Encoding.Latin1.GetString(tail[^(SumLength + 2)..^2]);
        if (!tail.SequenceEqual(Encoding.Latin1.GetBytes(Tail(sum)))) return null;
        var at = head.LastIndexOf(",\"line\":"u8);
        if (at < 0) return null;
        var digits = head[(at + ",\"line\":".Length)..];
        if (!Utf8Parser.TryParse(digits, out int number, out var used) || used != digits.Length || digits[0] is (byte)'0' or (byte)'+')
            return null;
        byte[] json = [.. head[..at], (byte)'}'];
        return new(json, number, sum == SumOf(json, subject, number));
    }

    /// <summary>The checksum of a record.</summary>
    public static string SumOf(ReadOnlySpan<byte> json, string subject, int line)
    {
        var place = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{subject}\n{line}\n"));
        return Convert.ToHexStringLower(SHA256.HashData([.. place, .. json]))[..SumLength];
    }

    private static string Tail(string sum) => $",\"sum\":\"{sum}\"}}";
}
