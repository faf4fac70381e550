using System.Globalization;
using System.Text.Json.Nodes;

namespace KvPareto.Engine.Checkpoints.Config;

/// <summary>Numbers of a <c>config.json</c> that are floating-point ones to Python too: <c>8.0</c>, not <c>8</c>.</summary>
internal static class ConfigNumber
{
    /// <summary>The shortest text that reads back as <paramref name="value"/>, which is finite.</summary>
    public static JsonNode Of(double value) => Parse(value.ToString("R", CultureInfo.InvariantCulture));

    /// <inheritdoc cref="Of(double)"/>
    public static JsonNode Of(float value) => Parse(value.ToString("R", CultureInfo.InvariantCulture));

    private static JsonNode Parse(string text) => JsonNode.Parse(text.AsSpan().ContainsAny('.', 'E') ? text : text + ".0")!;
}
