using System.Text.Json;
using KvPareto.Testing;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;

namespace KvPareto.Text.Tests.Templates.Jinja;

public class JinjaTests
{
    /// <summary>
    /// Templates of this project with what Jinja2 3.1.6 makes of them (immutable sandbox, trim_blocks, lstrip_blocks, loop controls).
    /// Where Jinja2 fails, this engine must fail too; its words are its own.
    /// </summary>
    [Theory]
    [InlineData("jinja.json")]
    [InlineData("jinja-python.json")]
    public void TemplatesEqualJinja2(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(TestData.Golden("text", file)));
        var variables = document.RootElement.GetProperty("variables").EnumerateObject().ToDictionary(
            static p => p.Name, static p => (object?)p.Value);
        var messages = ((JsonElement)variables["messages"]!).EnumerateArray().Select(static m => (object)m).ToList();
        var differences = new List<string>();
        foreach (var one in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            var template = one.GetProperty("template").GetString()!;
            string? result;
            try
            {
                result = ChatTemplate.Parse(template, variables).Render(messages);
            }
            catch (ConfigException problem)
            {
                Assert.StartsWith("chat template: line ", problem.Message, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', problem.Message);
                result = null;
            }
            var expected = one.TryGetProperty("text", out var text) ? text.GetString() : null;
            if (result != expected) differences.Add($"{template} gives {result ?? "an error"}, not {expected ?? "an error"}");
        }
        Assert.Empty(differences);
    }

    [Theory]
    [InlineData("a\nb\n{{ messages | nope }}", "line 3: filter 'nope' is not known; known: abs, ")]
    [InlineData("a\n{% if messages is nope %}{% endif %}", "line 2: test 'nope' is not known; known: boolean, ")]
    [InlineData("{% if true %}\n{{ 1 | nope }}{% endif %}", "line 2: filter 'nope' is not known")]
    [InlineData("\n{% extends 'x' %}", "line 2: the tag 'extends' is not known here; known: if, for, ")]
    [InlineData("\n\n{{ messages[0].nothing.more }}", "line 3: 'dict object' has no attribute 'nothing'; it is undefined")]
    [InlineData("{{ nothing() }}", "line 1: 'nothing' is undefined")]
    [InlineData("{{ 'a' + 1 }}", "line 1: '+' does not take str and int")]
    [InlineData("{{ messages.append(1) }}", "line 1: the method 'append' of a list is not allowed")]
    [InlineData("{% for x in 7 %}{% endfor %}", "line 1: int is not iterable")]
    [InlineData("{{ raise_exception('no\nway') }}", "line 1: the chat template refuses the conversation: no way")]
    [InlineData("{% if true %}", "line 1: the template ends before 'endif'")]
    [InlineData("{{ 'abc }}", "line 1: the string does not end")]
    [InlineData("{{ strftime_now('%Q') }}", "line 1: strftime_now: the conversion %Q is not known")]
    public void MistakeNamesLineAndConstruct(string template, string expected) =>
        Assert.Contains(expected, Refusal(template), StringComparison.Ordinal);

    [Fact]
    public void UnknownFilterWithinAnUntakenBranchIsNoMistake() =>
        Assert.Equal("ok", ChatTemplate.Parse("{% if false %}{{ 1 | nope }}{{ 1 is nope }}{% endif %}ok").Render(
            [new ChatMessage("user", "")]));

    public static TheoryData<string> Bombs => new()
    {
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% for i in range(1000000000) %}{% endfor %}",
        "{{ range(0, 9223372036854775807, 1) }}{{ range(-9223372036854775807, 9223372036854775807) }}",
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{{ [0] * 1000000000000 }}",
        "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(1000) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(1000) %}{% set ns.s = ns.s | replace('a', 'aaaaaaaa') %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(1000) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(100000) %}{% set ns.s = [ns.s] %}{% endfor %}"
            + "{{ ns.s }}{{ ns.s | tojson }}{{ ns.s == [ns.s] }}",
        "{% set a = namespace(v=[1]) %}{% set b = namespace(v=[1]) %}"
            + "{% for i in range(60) %}{% set a.v = [a.v, a.v] %}{% set b.v = [b.v, b.v] %}{% endfor %}{{ a.v == b.v }}",
        "{% set x = ['a' * 1000000] * 1000 %}{{ x }}",
        "{{ '%999999999d' % 1 }}",
        "{{ 'x'.ljust(2000000000) }}",
        "{{ 'x' | indent(2000000000) | center(2000000000) }}",
        "{{ 2 ** 100000 }}",
        "{{ -9223372036854775807 - 1 | abs }}{{ (-9223372036854775807 - 1) // -1 }}",
        "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ " + new string('(', 100_000) + "1" + new string(')', 100_000) + " }}",
        "{{ " + new string('[', 100_000) + " }}",
        "{{ " + new string('-', 100_000) + "1 }}",
        "{{ " + string.Concat(Enumerable.Repeat("not ", 100_000)) + "1 }}",
        "{{ 1" + string.Concat(Enumerable.Repeat(" + 1", 100_000)) + " }}",
        "{{ a" + string.Concat(Enumerable.Repeat(".b", 100_000)) + " }}",
        "{{ a" + string.Concat(Enumerable.Repeat(" | upper", 100_000)) + " | nope }}",
        "{{ 1" + string.Concat(Enumerable.Repeat(" if 1 else 1", 100_000)) + " }}",
        "{% set l = range(100000)|list %}{% for i in range(100000) %}{% if l.index(99999) %}{% endif %}{% endfor %}",
        "{% set l = range(100000)|list %}{% for i in range(100000) %}{{ l.count(7) }}{% endfor %}",
        "{% set l = range(100000)|list %}{% for i in range(100000) %}{% set x = l.copy() %}{% endfor %}",
        "{% set d = dict([]) %}{% set t = 'a' * 1000000 %}{% for i in range(100000) %}{% if {t: 1}[t] %}{% endif %}{% endfor %}",
        "{% set t = 'é' * 1000000 %}{% for i in range(100000) %}{% if t[999999] %}{% endif %}{% endfor %}",
        "{% set t = ('a' * 100000,) %}{% for i in range(100000) %}{% if {t: 1}[t] %}{% endif %}{% endfor %}",
        "{% set t = 'ab' * 4000000 %}{% set n = 'ab' * 1000000 + 'bb' + 'ab' %}{% for i in range(9999) %}{{ t.find(n) }}{% endfor %}",
        "{% set t = 'a' * 1000000 %}{% for i in range(100000) %}{% if t is lower %}{% endif %}{% endfor %}",
        "{% set t = 'a' * 1000000 %}{{ [t] * 100000 | map('upper') | list }}",
        "{{ 'a'.ljust(9223372036854775807) }}{{ 'a'.rjust(9223372036854775807) }}{{ '-a'.zfill(9223372036854775807) }}",
        "{{ [1] | tojson(indent='a' * 30000000) }}",
        "{{ 'a' * 30000000 | list }}",
        "{{ '&' * 30000000 | e }}",
        "{{ ('\\x01' * 30000000) | tojson }}",
        "{{ ('\\n' * 30000000).splitlines() }}",
        "{% for i in range(100000) %}{{ 'a' | truncate(255, true, 'b' * 30000000) }}{% endfor %}",
        "{{ " + string.Concat(Enumerable.Repeat("'a' ", 300_000)) + "| nope }}",
        new string('a', 2_000_000),
        string.Concat(Enumerable.Repeat("{% if true %}", 100_000)),
        string.Concat(Enumerable.Repeat("{% for x in y %}", 100_000)),
        string.Concat(Enumerable.Repeat("{# ", 100_000)),
    };

    [Theory]
    [MemberData(nameof(Bombs))]
    public void BombIsOneLine(string template) => Assert.DoesNotContain('\n', Refusal(template));

    /// <summary>Looking for a periodic text in a periodic text takes no longer than in any other.</summary>
    [Theory]
    [InlineData("{{ t.find(n) }} {{ t.rfind(n) }} {{ t.count(n) }} {{ n in t }} {{ t.split(n) | length }}", "-1 -1 0 False 1")]
    [InlineData("{{ (t + n + t).find(n) }} {{ (t + n + t).rfind(n) }} {{ (t + n + t + n).count(n) }}", "2000000 2000000 2")]
    [InlineData("{{ (t + n + t).replace(n, '') == t + t }} {{ (t + n).rpartition(n)[0] == t }} {{ (t + n + t).rsplit(n, 1) | length }}",
        "True True 2")]
    public void PeriodicTextIsSearchedInLinearTime(string template, string expected) => Assert.Equal(
        expected,
        ChatTemplate.Parse("{% set t = 'ab' * 1000000 %}{% set n = 'ab' * 300000 + 'bb' + 'ab' * 100 %}" + template)
            .Render([new ChatMessage("user", "")]));

    private static string Refusal(string template) =>
        Assert.Throws<ConfigException>(() => ChatTemplate.Parse(template).Render([new ChatMessage("user", "x")])).Message;
}
