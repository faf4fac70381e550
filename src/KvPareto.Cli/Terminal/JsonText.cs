using System.Text.Encodings.Web;
using System.Text.Json;

namespace KvPareto.Cli.Terminal;

/// <summary>What <c>--json</c> prints: one line, with characters as they are.</summary>
internal static class JsonText
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The value as JSON.</summary>
    public static string Of<T>(T value) => JsonSerializer.Serialize(value, Plain);
}
