using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;

namespace KvPareto.Sweep.Journaling;

/// <summary>
/// How records stand in a run folder's files: camelCase, declared order, readable text; nothing doubled, missing, unknown or infinite.
/// </summary>
internal static partial class JournalJson
{
    private static readonly JsonSerializerOptions Line = Options(indented: false);
    private static readonly JsonSerializerOptions Page = Options(indented: true);

    /// <summary>One line, without its end.</summary>
    public static byte[] WriteLine<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Line);

    /// <summary>Several lines, for people.</summary>
    public static byte[] WritePage<T>(T value) => [.. JsonSerializer.SerializeToUtf8Bytes(value, Page), (byte)'\n'];

    /// <summary>Reads one line.</summary>
    /// <exception cref="JsonException">Not such a record.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, Line) ?? throw new JsonException("null");
        }
        catch (JsonException e) when (NamesOfTypes.Match(e.Message) is { Success: true } match)
        {
            var key = match.Groups["key"];
            var problem = match.Groups["unknown"].Success ? "unknown key" : key.Success ? "missing key" : "a wrong value at";
            throw new JsonException($"{problem} {(key.Success ? key.Value : e.Path)}", e);
        }
    }

    // The library's messages on keys and values name types of this program, which tell a user nothing.
    [GeneratedRegex(
        @"JSON property (?<key>'[^']*') (?<unknown>could not be mapped)|missing required properties including: (?<key>'[^']*')"
            + "|JSON value could not be converted|doesn't allow setting null")]
    private static partial Regex NamesOfTypes { get; }

    private static JsonSerializerOptions Options(bool indented) => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        IgnoreReadOnlyProperties = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { RequireAll } },
        Converters = { new FiniteNumber(), new Seconds() },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = indented,
        NewLine = "\n",
    };

    // Only what may be null is left out when written.
    private static void RequireAll(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
            property.IsRequired |= property.Set is not null && !property.IsSetNullable;
    }

    /// <summary>Times as numbers of seconds, to the millisecond.</summary>
    private sealed class Seconds : JsonConverter<TimeSpan>
    {
        public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TimeSpan.FromSeconds(reader.GetDouble());

        public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) =>
            writer.WriteNumberValue(Math.Round(value.TotalSeconds, 3));
    }

    /// <summary>Numbers such as 1e999 are read as infinite by default.</summary>
    private sealed class FiniteNumber : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetDouble() is var number && double.IsFinite(number) ? number : throw new JsonException("a number is out of range");

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
    }
}
