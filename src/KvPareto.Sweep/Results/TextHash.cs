using System.Security.Cryptography;
using System.Text;

namespace KvPareto.Sweep.Results;

/// <summary>SHA-256 over a text's UTF-8, in lower-case hex digits: what trials, runs and tasks are told apart by.</summary>
internal static class TextHash
{
    /// <summary>Hex digits of an id.</summary>
    public const int IdLength = 16;

    /// <summary>All 64 digits.</summary>
    public static string Of(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>The first 16.</summary>
    public static string Id(string text) => Of(text)[..IdLength];

    /// <summary>The text can be an id.</summary>
    public static bool IsId(string text) => text.Length == IdLength && text.All(char.IsAsciiHexDigitLower);
}
