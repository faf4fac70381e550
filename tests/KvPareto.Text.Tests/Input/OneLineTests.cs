using System.Text.Json;
using KvPareto.Text.Input;

namespace KvPareto.Text.Tests.Input;

public class OneLineTests
{
    [Theory]
    [InlineData("{\"a\": 1,}", "The JSON object contains a trailing comma at the end (line 1, at byte 8)")]
    [InlineData("{\n\"a\": 01}", "Invalid leading zero before '1' (line 2, at byte 6)")]
    [InlineData("", "The input does not contain any JSON tokens (line 1, at byte 0)")]
    [InlineData("[1,\r\n2", "'2' is an invalid end of a number. Expected a delimiter (line 2, at byte 1)")]
    public void Message_OfDamagedJson_SaysWhere(string json, string expected) =>
        Assert.Equal(expected, OneLine.OfMessage(Assert.ThrowsAny<JsonException>(() => JsonDocument.Parse(json))));

    [Fact]
    public void Message_OfAWrongKind_LeavesOutThePath()
    {
        var error = Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<int[]>("[1, true]"));
        Assert.Equal("The JSON value could not be converted to System.Int32 (line 1, at byte 8)", OneLine.OfMessage(error));
    }

    [Fact]
    public void Message_OfAnythingElse_StaysAsItIs() =>
        Assert.Equal("no: such file", OneLine.OfMessage(new IOException("no:\nsuch file.")));
}
