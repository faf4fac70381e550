using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KvPareto.Sweep.Journaling;

/// <summary>How records stand in a run folder's files: camelCase, declared order, readable text, nothing doubled or missing.</summary>
internal static class JournalJson
{
    private static readonly JsonSerializerOptions Line = Options(indented: false);
    private static readonly JsonSerializerOptions Page = Options(indented: true);

    /// <summary>One line, without its end.</summary>
    public static byte[] WriteLine<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Line);

    /// <summary>Several lines, for people.</summary>
    public static byte[] WritePage<T>(T value) => [.. JsonSerializer.SerializeToUtf8Bytes(value, Page), (byte)'\n'];

    /// <summary>Reads one line.</summary>
    /// <exception cref="JsonException">Not such a record.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize<T>(json, Line) ?? throw new JsonException("null");

    private static JsonSerializerOptions Options(bool indented) => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        IgnoreReadOnlyProperties = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = indented,
        NewLine = "\n",
    };
}
