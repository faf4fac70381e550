using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KvPareto.Tasks.Predictions;

/// <summary>What a comparison with the unquantized model gave over one window of a text.</summary>
/// <param name="Figures">The window's figures.</param>
/// <param name="BitsPerElement">Bits of a cached element in a cache of the window's length: codes, scales, zero points, means and what is
/// kept at 16 bits.</param>
/// <param name="BytesPerToken">The same in bytes over all layers, heads and channels, keys and values.</param>
/// <param name="Divergences">KL(reference ‖ setting) after each token, in nats: what quantiles over several windows are made of. In files
/// base64 of f32, little-endian.</param>
public sealed record FidelityPrediction(
    FidelityFigures Figures,
    double BitsPerElement,
    double BytesPerToken,
    [property: JsonConverter(typeof(FidelityPrediction.Base64))] IReadOnlyList<float> Divergences)
    : Prediction
{
    /// <inheritdoc/>
    public bool Equals(FidelityPrediction? other) => other is not null
        && (Figures, BitsPerElement, BytesPerToken) == (other.Figures, other.BitsPerElement, other.BytesPerToken)
        && Divergences.SequenceEqual(other.Divergences);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Figures, BitsPerElement, BytesPerToken, Divergences.Count);

    private sealed class Base64 : JsonConverter<IReadOnlyList<float>>
    {
        public override IReadOnlyList<float> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.String || !reader.TryGetBytesFromBase64(out var bytes)
                || bytes.Length % sizeof(float) != 0)
                throw new JsonException("divergences are no base64 of f32");
            return MemoryMarshal.Cast<byte, float>(bytes).ToArray();
        }

        public override void Write(Utf8JsonWriter writer, IReadOnlyList<float> value, JsonSerializerOptions options) =>
            writer.WriteBase64StringValue(MemoryMarshal.AsBytes<float>(value.ToArray()));
    }
}
