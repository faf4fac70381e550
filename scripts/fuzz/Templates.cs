using System.Text;
using KvPareto.Text.Templates;

namespace Fuzz;

/// <summary>Chat templates of random statements and expressions, many of which multiply work or text.</summary>
internal sealed class Templates : HostileKind
{
    private static readonly string[] Filters =
    [
        "upper", "lower", "trim", "length", "list", "first", "last", "reverse", "sort", "unique | list", "join", "join('a')", "tojson",
            "tojson(indent=99)", "int", "float", "string",
        "escape", "title", "capitalize", "wordcount", "abs", "round", "sum", "min", "max", "items", "dictsort", "batch(3)",
            "map('upper') | list", "map('length') | list",
        "select | list", "select('string') | list", "reject('none') | list", "groupby('a')", "replace('a','aa')", "replace('','b')",
            "truncate(9223372036854775807)",
        "truncate(3, true, '')", "center(99999999)", "center(-9)", "indent(1000)", "indent('a' * 9999)", "default('x')", "format(1)",
            "attr('a')", "slice(3)", "groupby('k', default=1)", "int(0, 16)", "nope",
    ];

    private static readonly string[] Methods =
    [
        "upper()", "lower()", "title()", "swapcase()", "casefold()", "strip()", "strip('a')", "split()", "split('a')",
            "split('a', 9223372036854775807)", "rsplit('a', 3)", "splitlines()",
        "partition('a')", "rpartition('aa')", "replace('a', 'aaaaaaaa')", "find('aab')", "rfind('b')", "index('a')", "count('a')",
            "zfill(0)", "zfill(99999999)", "ljust(5, '')",
        "ljust(9223372036854775807)", "rjust(-9223372036854775807)", "startswith('a')", "endswith(('a', 'b'))", "format(1, x=2)",
            "join([1, 'a'])", "isdigit()", "items()", "keys()",
        "values()", "copy()", "get('a')", "get((1, 2))", "append(1)", "removeprefix('a')", "encode()",
    ];

    private static readonly string[] Atoms =
    [
        "1", "-1", "0", "9223372036854775807", "-9223372036854775807", "1e308", "1.5", "true", "none", "''", "'a'", "'😀'", "'\\ud83d'",
            "'%0d%s%x%.9f'", "'{0} {x}'", "[]", "{}", "()",
        "messages", "x", "y", "loop", "loop.index", "ns", "ns.v", "nothing", "messages[0]", "messages[0].content", "range(100000)",
            "range(9223372036854775807)", "range(-3, 9, 0)",
        "'a' * 99999", "'ab' * 4000000", "[0] * 99999", "(1, 2)", "{'a': 1, 2: 'b'}", "strftime_now('%Y%%%-d')", "namespace(v=1)",
            "dict(a=1)", "joiner('a')", "cycler",
    ];

    public override string Name => "templates";

    public override void Run(Random random, string folder)
    {
        var text = new StringBuilder("{% set x = 'a' %}{% set y = [1, 'b'] %}{% set ns = namespace(v='a') %}");
        Block(random, text, 0);
        var source = Rarely(random, 8) ? Damaged(random, text.ToString()) : text.ToString();
        ChatTemplate.Parse(source).Render([new ChatMessage("user", HostileText.Make(random, 4096)), new ChatMessage("assistant", "b")]);
    }

    private static void Block(Random random, StringBuilder text, int depth)
    {
        for (var left = random.Next(1, 4); left > 0; left--)
        {
            var kind = depth > 4 ? 0 : random.Next(10);
            switch (kind)
            {
                case 0 or 1 or 2:
                    text.Append("{{ ").Append(Expression(random, 0)).Append(" }}");
                    break;
                case 3 or 4:
                    text.Append("{% for ").Append(Pick(random, "x", "y", "a, b")).Append(" in ").Append(Expression(random, 1))
                        .Append(Pick(random, "", " if x", " recursive")).Append(" %}");
                    Block(random, text, depth + 1);
                    text.Append(Pick(random, "", "{% break %}", "{{ loop(x) }}", "{% else %}e")).Append("{% endfor %}");
                    break;
                case 5:
                    text.Append("{% if ").Append(Expression(random, 1)).Append(" %}");
                    Block(random, text, depth + 1);
                    text.Append("{% endif %}");
                    break;
                case 6:
                    text.Append("{% set ").Append(Pick(random, "x", "y", "ns.v")).Append(" = ").Append(Expression(random, 0)).Append(" %}");
                    break;
                case 7:
                    text.Append("{% macro m(x, y=").Append(Expression(random, 2)).Append(") %}");
                    Block(random, text, depth + 1);
                    text.Append("{% endmacro %}{{ m(").Append(Expression(random, 1)).Append(") }}");
                    break;
                case 8:
                    text.Append("{% set x %}");
                    Block(random, text, depth + 1);
                    text.Append("{% endset %}");
                    break;
                default:
                    text.Append("{% for i in range(").Append(Pick(random, "9", "999", "100000")).Append(") %}{% set ns.v = ")
                        .Append(Pick(random, "ns.v ~ ns.v", "[ns.v, ns.v]", "ns.v + 'a'", "{'a': ns.v}", "ns.v * 2", Expression(random, 1)))
                            .Append(" %}{% endfor %}");
                    break;
            }
        }
    }

    private static string Expression(Random random, int depth)
    {
        if (depth > 3) return Pick<string>(random, Atoms);
        string Part() => Expression(random, depth + 1);
        return random.Next(12) switch
        {
            0 => $"({Part()} {Pick(random, "+", "-", "*", "/", "//", "%", "**", "~", "==", "<", "in", "and", "or")} {Part()})",
            1 or 2 => $"({Part()}) | {Pick<string>(random, Filters)}",
            3 or 4 => $"({Part()}).{Pick<string>(random, Methods)}",
            5 => $"({Part()})[{Part()}]",
            6 => $"({Part()})[{Part()}:{Part()}:{Pick(random, "1", "-1", "2", "0")}]",
            7 => $"[{Part()}, {Part()}]",
            8 => $"({Part()} is {Pick(random, "defined", "string", "lower", "odd", "divisibleby(-1)", "in('aba')", "eq(x)", "lt(3)", "iterable", "nope")})",
            9 => $"({Part()} if {Part()} else {Part()})",
            _ => Pick<string>(random, Atoms),
        };
    }

    private static string Damaged(Random random, string text)
    {
        var characters = text.ToCharArray();
        for (var left = random.Next(1, 5); left > 0; left--) characters[random.Next(characters.Length)] = (char)random.Next(1, 0x300);
        return new(characters, 0, random.Next(characters.Length / 2, characters.Length + 1));
    }
}
