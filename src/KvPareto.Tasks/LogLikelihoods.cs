using System.Text.Json;

namespace KvPareto.Tasks;

/// <summary>Log likelihoods of a sample's continuations as the text of its prediction: a JSON list of numbers, in nats.</summary>
public static class LogLikelihoods
{
    /// <summary>The text; <see cref="Parse"/> reads it back bit by bit.</summary>
    public static string ToJson(IReadOnlyList<double> values) => JsonSerializer.Serialize(values);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FormatException">The text is something else.</exception>
    public static IReadOnlyList<double> Parse(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<double[]>(json) ?? throw new FormatException("no log likelihoods: null");
        }
        catch (JsonException error)
        {
            throw new FormatException($"no log likelihoods: {error.Message.ReplaceLineEndings(" ")}", error);
        }
    }
}
