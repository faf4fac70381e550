using System.Text.Json;
using KvPareto.Tasks.Gsm8k;
using KvPareto.Testing;

namespace KvPareto.Tasks.Tests.Gsm8k;

public class Gsm8kAnswerTests
{
    [Fact]
    public void EveryText_GivesWhatTheHarnessExtractsAndScores()
    {
        var rows = 0;
        foreach (var line in File.ReadLines(TestData.Golden("gsm8k-extraction.jsonl")))
        {
            using var document = JsonDocument.Parse(line);
            var row = document.RootElement;
            var (text, target) = (Text("text"), Text("target"));
            Check("strict_hash", Gsm8kAnswer.Strict(text, Gsm8kFormat.Hash));
            Check("strict_cot", Gsm8kAnswer.Strict(text, Gsm8kFormat.Cot));
            Check("flexible", Gsm8kAnswer.Flexible(text));
            rows++;

            string Text(string field) => row.GetProperty(field).GetString()!;

            void Check(string field, string answer)
            {
                Assert.Equal((line, field, Text(field)), (line, field, answer));
                var matches = row.GetProperty(field + "_match").GetDouble();
                Assert.Equal((line, field, matches), (line, field, Gsm8kAnswer.Matches(answer, target) ? 1 : 0));
            }
        }
        Assert.Equal(252, rows);
    }

    // Beyond the golden file: what Python's re.sub and re.findall do.
    [Theory]
    [InlineData("#### 5 and #### 6", "5", "6")]
    [InlineData("####7 #### -1,234.50.", "-1,234.50.", "-1,234.50.")]
    [InlineData("#### ٣", "[invalid]", "[invalid]")] // digits of another script are none
    [InlineData("##### 3", "3", "3")]
    [InlineData("$ . 7", "[invalid]", "7")]
    [InlineData("costs $$", "[invalid]", "$$")]
    [InlineData("", "[invalid]", "[invalid]")]
    public void Extraction_KnownValues(string text, string strict, string flexible) =>
        Assert.Equal((strict, flexible), (Gsm8kAnswer.Strict(text, Gsm8kFormat.Hash), Gsm8kAnswer.Flexible(text)));

    [Theory]
    [InlineData("1,000", "x #### 3 #### 1000", true)]
    [InlineData("$18.", "#### 18", true)]
    [InlineData("18..", "#### 18", false)] // one full stop only
    [InlineData("18", "#### 18.\n", false)] // the line feed stays
    [InlineData("18.0", "#### 18", false)]
    [InlineData("[invalid]", "none", false)]
    [InlineData("FIVE", "#### five", true)]
    public void Matches_KnownValues(string answer, string solution, bool expected) =>
        Assert.Equal(expected, Gsm8kAnswer.Matches(answer, solution));
}
