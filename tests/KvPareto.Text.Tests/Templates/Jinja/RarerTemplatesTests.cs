using KvPareto.Text.Input;
using KvPareto.Text.Templates;

namespace KvPareto.Text.Tests.Templates.Jinja;

public class RarerTemplatesTests
{
    /// <summary>What Jinja2 3.1.6 makes of templates, as transformers sets it up; null where it fails.</summary>
    [Theory]
    [InlineData("{{ 1e20 % 7 }} {{ 2.5 % -0.1 }} {{ -5 // 1e-7 }} {{ 27 // 0.1 }} {{ 2.5 % 0.5 % -2 }}",
        "2.0 -1.3877787807814457e-16 -50000001.0 269.0 -0.0")]
    [InlineData("{% for x in [1, 2] %}{% continue %}{% else %}E{% endfor %}|{% for x in [1, 2] %}a{% break %}{% else %}E{% endfor %}",
        "E|aE")]
    [InlineData("{% for x in [1, 2] %}{% if x == 2 %}{% break %}{% endif %}a{% else %}E{% endfor %}", "a")]
    [InlineData("{% for a in [1, 2] %}{% for x in [] %}{% else %}{% break %}{% endfor %}{{ a }}{% endfor %}|", "|")]
    [InlineData("{% macro m() %}a{% endmacro %}{% call m() %}b{% endcall %}", null)]
    [InlineData("{% macro m() %}a{{ kwargs | length }}{% endmacro %}{% call m() %}b{% endcall %}", "a1")]
    [InlineData("{% filter length %}abc{% endfilter %}", null)]
    [InlineData("{{ 7 | indent }}", null)]
    [InlineData("{{ [{'a': 2, 'b': 'y'}, {'a': 1}, {'a': 2, 'b': 'X'}] | sort(attribute='a,b') }}",
        "[{'a': 1}, {'a': 2, 'b': 'X'}, {'a': 2, 'b': 'y'}]")]
    [InlineData("{{ [3, 1] | sort(attribute='x') }}", "[3, 1]")]
    [InlineData("{{ [{'f': {'n': 1}}, {}] | map(attribute='f.n', default='-') | list }}", "[1, '-']")]
    [InlineData("{{ {'a': 1}.keys() }} {{ {'a': 1}.values() }} {{ {'a': 1}.items() }} {{ range(3) }} {{ range(5, 0, -2) }}"
        + " {{ range(3)[1] }}",
        "dict_keys(['a']) dict_values([1]) dict_items([('a', 1)]) range(0, 3) range(5, 0, -2) 1")]
    [InlineData("{{ {'a': 1}.keys()[0] }}|{{ {'a': 1}.items() is sequence }} {{ range(3) is sequence }} {{ range(2) == [0, 1] }}",
        "|False True False")]
    [InlineData("{{ {'a': 1}.keys() | tojson }}", null)]
    [InlineData("{{ range(2) + [3] }}", null)]
    [InlineData("{{ [3] + {'a': 1}.items() }}", null)]
    [InlineData("{{ '{:>8}|{:<6}|{:^7}|{:*^5}|{:😀<3}'.format('é', 'b', true, 1, 'x') }}", "       é|b     |   1   |**1**|x😀😀")]
    [InlineData("{{ '{:05d} {:+d} {: d} {:,} {:x} {:#X} {:o} {:b} {:c}'.format(-7, 7, 7, 1234567, 255, 255, 8, 5, 233) }}",
        "-0007 +7  7 1,234,567 ff 0XFF 10 101 é")]
    [InlineData("{{ '{:.2f} {:08.3f} {:e} {:g} {:g} {:.3} {:%} {:,.1f} {:E}"
        + " {:}'.format(2.5, -1.5, 12345.678, 1e20, 0.0001, 25.0, 0.256, 12345.67, 0.5, 2.0) }}",
        "2.50 -001.500 1.234568e+04 1e+20 0.0001 25.0 25.600000% 12,345.7 5.000000E-01 2.0")]
    [InlineData("{{ '{!r:>5} {!s} {n:>3}'.format('a', none, n=1) }}", "  'a' None   1")]
    [InlineData("{{ '{:d}'.format('a') }}", null)]
    [InlineData("{{ '{:5}'.format(none) }}", null)]
    [InlineData("{{ '{:.1d}'.format(3) }}", null)]
    [InlineData("{{ '{:s}'.format(3) }}", null)]
    [InlineData("{{ '%e %g %G %o %X %c%c %.1e' % (12345.678, 1e20, 1e-10, 8, 255, 65, 'é', 5) }}",
        "1.234568e+04 1e+20 1E-10 10 FF Aé 5.0e+00")]
    [InlineData(
        "{{ ' a b  c \\n'.split(none, 1) }} {{ ' a '.split(none, 0) }} {{ ' a b  c \\n'.rsplit(none, 1) }} {{ ' a '.rsplit(none, 0) }}",
        "['a', 'b  c \\n'] ['a '] [' a b', 'c'] [' a']")]
    [InlineData("{{ '%(a)s %(b)03d %%' % {'a': 'x', 'b': 1} }} {{ '%(n)5.1f' | format(n=2.25) }}", "x 001 %   2.2")]
    [InlineData("{{ '%(c)s' % {'a': 1} }}", null)]
    [InlineData("{{ [{'a': 1}, {}, {'a': 1}, {}] | unique(attribute='a') | list }}", "[{'a': 1}, {}]")]
    [InlineData("{{ -0.1 // -2 }} {{ 0.1 // -2 }} {{ nothing is callable }}", "0.0 -1.0 True")]
    [InlineData("{{ '%3s|%-3s|' % ('😀', '𝒜b') }}", "  😀|𝒜b |")]
    [InlineData("{{ 7 | truncate(3) }}", null)]
    [InlineData("{{ {'a': 1} | attr('a') }}|{{ ({'a': 1} | attr('items'))() | list }}", "|[('a', 1)]")]
    [InlineData("{{ dict([('a', 1), 'bc'], d=2) }} {{ dict({'a': 1}.items()) }} {{ dict([]) }}", "{'a': 1, 'b': 'c', 'd': 2} {'a': 1} {}")]
    [InlineData("{{ dict([1]) }}", null)]
    [InlineData("{{ dict(['abc']) }}", null)]
    [InlineData("{{ [1, 2] | map('abs') | reverse }} {{ -0.0 | abs }} {{ -0.2 | round(0, 'ceil') }} {{ -0.0 | round(1, 'floor') }}",
        "[2, 1] 0.0 0.0 0.0")]
    [InlineData("{{ -5 % (1e308 * 10) }} {{ -5 // (1e308 * 10) }} {{ 1e16 // 3 }} {{ '{:.1%}'.format(1e308) }}",
        "inf -1.0 3333333333333333.0 inf%")]
    [InlineData("{% set text = 'nan' %}{% set nan = text | float %}{{ nan }} {{ nan < 1 }} {{ 1 >= nan }} {{ nan == nan }} {{ nan != 1 }}",
        "nan False False False True")]
    [InlineData("{{ '% d|% 05d|%+05d|%-5d|%05s|%05c|%05.1f|% d' % (5, 5, 5, 5, 'a', 'b', -2.5, -5) }}",
        " 5| 0005|+0005|5    |    a|    b|-02.5|-5")]
    [InlineData("{{ 1 is string 2 }}", null)]
    [InlineData("{{ [1] | select('odd', 2) | list }}", null)]
    [InlineData("{{ 1 is eq(1, 2) }}", null)]
    [InlineData("{{ none | map(attribute='a') | list }} {{ none | selectattr('type', 'equalto', 'text') | list }} {{ 0 | reject | list }}",
        "[] [] []")]
    [InlineData("{{ none | list }}", null)]
    [InlineData("{{ dict(a=1, **{'a': 2}) }}", null)]
    public void TemplatesEqualJinja2(string template, string? expected)
    {
        string Render() => ChatTemplate.Parse(template).Render([new ChatMessage("user", "x")]);
        if (expected is not null) Assert.Equal(expected, Render());
        else Assert.DoesNotContain('\n', Assert.Throws<ConfigException>(Render).Message);
    }
}
