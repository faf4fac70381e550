using System.Text.Json;
using KvPareto.Tasks.Predictions;

namespace KvPareto.Tasks.Tests.Predictions;

public class PredictionTests
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static TheoryData<Prediction, string> Kinds => new()
    {
        { new TextPrediction("two\nlines"), "\"two\\nlines\"" },
        { new LikelihoodPrediction([-1.5, -0.99999999999999, 3e-7]), "[-1.5,-0.99999999999999,3E-07]" },
        { new LikelihoodPrediction([]), "[]" },
        {
            new FidelityPrediction(
                new(19.273143365614136, 19.27, 0.1, 1e-7, 0.5, 12, 0.991363525390625, 18.36, 0.09), 4.5, 90.25, [0.5f, 1e-7f]),
            """{"figures":{"ppl":19.273143365614136,"referencePpl":19.27,"klMean":0.1,"klP50":1E-07,"klP99":0.5,"klMax":12,"top1":0.991363525390625,"pplSecondHalf":18.36,"klSecondHalf":0.09},"bitsPerElement":4.5,"bytesPerToken":90.25,"divergences":"AAAAP5W/1jM="}"""
        },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void EachKind_ReadsBackWhatItWrites(Prediction prediction, string json)
    {
        Assert.Equal(json, JsonSerializer.Serialize(prediction, Options));
        Assert.Equal(prediction, JsonSerializer.Deserialize<Prediction>(json, Options));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("true")]
    [InlineData("[1, \"a\"]")]
    [InlineData("[null]")]
    [InlineData("""{"figures":null,"bitsPerElement":4.5,"bytesPerToken":90.25,"divergences":5}""")]
    [InlineData("""{"figures":null,"bitsPerElement":4.5,"bytesPerToken":90.25,"divergences":"AAAA"}""")]
    public void OtherValues_AreRefused(string json) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Prediction>(json, Options));

    [Theory]
    [InlineData("A")]
    [InlineData("null")]
    [InlineData("[1,2,3,null]")]
    [InlineData("{}")]
    public void LikelihoodsInAText_AreAListOfNumbers(string text)
    {
        Assert.Equal(new([-1.5, -2]), LikelihoodPrediction.Parse("[-1.5, -2]"));
        Assert.Throws<FormatException>(() => LikelihoodPrediction.Parse(text));
    }
}
