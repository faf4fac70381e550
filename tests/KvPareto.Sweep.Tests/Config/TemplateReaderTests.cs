using KvPareto.Sweep.Config;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Config;

public class TemplateReaderTests
{
    private const string Config =
        "models: [embedded:llama]\ntasks: [{task: embedded, kind: fact, samples: 1, length: 96}]\nsettings: [w16a16-k8v8-t64]\n";

    [Theory]
    [InlineData("", """{"strftime_now":"2024-07-26"}""")]
    [InlineData("template: {enable_thinking: false}", """{"strftime_now":"2024-07-26","enable_thinking":false}""")]
    [InlineData("template: {strftime_now: 2026-11-28, n: 3, s: '3'}", """{"strftime_now":"2026-11-28","n":3,"s":"3"}""")]
    public void TemplateIsRead(string line, string expected) =>
        Assert.Equal(expected, SweepConfigReader.Read("x.yaml", Config + line, ".", []).Template.ToJson().ToJsonString());

    [Theory]
    [InlineData("template: [1]", "x.yaml:4: key 'template' is no mapping")]
    [InlineData("template: {strftime_now: soon}", "x.yaml:4: template: 'strftime_now' is no date; allowed: yyyy-MM-dd")]
    public void MistakeNamesThePlace(string line, string expected) => Assert.StartsWith(
        expected, Assert.Throws<ConfigException>(() => SweepConfigReader.Read("x.yaml", Config + line, ".", []))
            .Message, StringComparison.Ordinal);
}
