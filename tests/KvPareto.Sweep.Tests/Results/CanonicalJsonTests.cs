using System.Text.Json.Nodes;
using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Tests.Results;

public class CanonicalJsonTests
{
    [Theory]
    [InlineData("""{ "b" : 1, "a" : [ true, null, "x" ], "A" : { } }""", """{"A":{},"a":[true,null,"x"],"b":1}""")]
    [InlineData("""{"é":1,"z":2,"\u20ac":3,"\ud83d\ude00":4,"\ufb33":5}""",
        "{\"z\":2,\"é\":1,\"€\":3,\"\ud83d\ude00\":4,\"\ufb33\":5}")]
    [InlineData(""" "\u000f\n\t\r\b\f\"\\\/\u007f<>&'" """, "\"\\u000f\\n\\t\\r\\b\\f\\\"\\\\/\u007f<>&'\"")]
    [InlineData("[-0, 7, -9223372036854775808]", "[0,7,-9223372036854775808]")]
    public void Write_GivesOneTextForOneValue(string json, string expected) =>
        Assert.Equal(expected, CanonicalJson.Write(JsonNode.Parse(json)));

    [Theory]
    [InlineData("1.5")]
    [InlineData("1e3")]
    [InlineData("9223372036854775808")]
    public void Write_RefusesWhatIsNoInteger(string json) => Assert.Throws<ArgumentException>(() =>
        CanonicalJson.Write(JsonNode.Parse(json)));
}
