using System.Text.Json;
using System.Text.Json.Serialization;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Predictions;

/// <summary>
/// What a model made of a sample: a text, likelihoods or a comparison, which stand in files as a JSON text, list or object.
/// </summary>
[JsonConverter(typeof(PredictionConverter))]
public abstract record Prediction
{
    private protected Prediction()
    {
    }

    private sealed class PredictionConverter : JsonConverter<Prediction>
    {
        public override Prediction Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType switch
            {
                JsonTokenType.String => new TextPrediction(reader.GetString()!),
                JsonTokenType.StartArray => new LikelihoodPrediction(JsonSerializer.Deserialize<double[]>(ref reader, options)!),
                JsonTokenType.StartObject => JsonSerializer.Deserialize<FidelityPrediction>(ref reader, options)!,
                _ => throw new JsonException("a prediction is neither text, list nor object"),
            };

        public override void Write(Utf8JsonWriter writer, Prediction value, JsonSerializerOptions options)
        {
            switch (value)
            {
                case TextPrediction answer:
                    writer.WriteStringValue(answer.Text);
                    break;
                case LikelihoodPrediction rated:
                    JsonSerializer.Serialize(writer, rated.LogLikelihoods, options);
                    break;
                case FidelityPrediction compared:
                    JsonSerializer.Serialize(writer, compared, options);
                    break;
                default:
                    throw new InvalidOperationException($"a prediction of type {value.GetType().Name}");
            }
        }
    }
}

/// <summary>What the model wrote.</summary>
/// <param name="Text">Its answer, end tokens and stop texts cut off.</param>
public sealed record TextPrediction(string Text) : Prediction;

/// <summary>How likely the model holds the sample's continuations.</summary>
/// <param name="LogLikelihoods">One for each continuation, in nats.</param>
public sealed record LikelihoodPrediction(IReadOnlyList<double> LogLikelihoods) : Prediction
{
    /// <inheritdoc/>
    public bool Equals(LikelihoodPrediction? other) => other is not null && LogLikelihoods.SequenceEqual(other.LogLikelihoods);

    /// <inheritdoc/>
    public override int GetHashCode() => LogLikelihoods.Aggregate(0, HashCode.Combine);

    /// <summary>Reads a list in a text, as <c>[-1.5, -0.5]</c>.</summary>
    /// <exception cref="FormatException">The text is something else.</exception>
    public static LikelihoodPrediction Parse(string json)
    {
        try
        {
            return new(JsonSerializer.Deserialize<double[]>(json) ?? throw new FormatException("no log likelihoods: null"));
        }
        catch (JsonException error)
        {
            throw new FormatException($"no log likelihoods: {OneLine.OfMessage(error)}", error);
        }
    }
}
