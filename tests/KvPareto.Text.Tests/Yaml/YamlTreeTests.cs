using KvPareto.Text.Input;
using KvPareto.Text.Yaml;

namespace KvPareto.Text.Tests.Yaml;

public class YamlTreeTests
{
    [Theory]
    [InlineData("", "f:1: the file is empty")]
    [InlineData("# only a comment\n", "f:1: the file is empty")]
    [InlineData("a: 1\n---\nb: 2\n", "a second document")]
    [InlineData("a: &x 1\n", "f:1: anchors")]
    [InlineData("a: 1\nb: *x\n", "f:2: aliases")]
    [InlineData("a: !!binary x\n", "f:1: tags")]
    [InlineData("? [a]\n: 1\n", "a key must be a word")]
    [InlineData("a: [1, 2\nb: 3\n", "not YAML")]
    [InlineData("a: [1", "f:2: not YAML: did not find expected ',' or ']'")]
    [InlineData("a:\n\t- 1\n", "f:2: not YAML: found invalid tab")]
    [InlineData("a: 1\nb:\n  - c\n\t- d\n", "f:4: not YAML: found a tab")]
    [InlineData("a: 1\nb: 2\0\nc: 3\n", "f:2: holds a NUL character")]
    [InlineData("a: 'x\n", "not YAML")]
    public void Parse_RefusesWhatAConfigNeverNeeds(string yaml, string expected)
    {
        var message = Assert.Throws<ConfigException>(() => YamlTree.Parse("f", yaml)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("[", "")]
    [InlineData("{a: ", "")]
    [InlineData("- ", "")]
    [InlineData("[\n", "")]
    [InlineData("a:\n", " ")]
    public void Parse_RefusesDeepNesting(string piece, string indent)
    {
        var depths = Enumerable.Range(0, indent.Length == 0 ? 5000 : 500);
        var yaml = string.Concat(depths.Select(depth => string.Concat(Enumerable.Repeat(indent, depth)) + piece));
        Assert.Throws<ConfigException>(() => YamlTree.Parse("f", yaml));
    }

    [Fact]
    public void Parse_GivesLines()
    {
        var top = Assert.IsType<YamlMapping>(YamlTree.Parse("f", "a: x\n\nb:\n  - 'y'\n  - {c: ~}\n"));
        Assert.Equal(new YamlScalar("x", true, 1), top.Values["a"]);
        var list = Assert.IsType<YamlSequence>(top.Values["b"]);
        Assert.Equal(new YamlScalar("y", false, 4), list.Items[0]);
        Assert.True(Assert.IsType<YamlScalar>(Assert.IsType<YamlMapping>(list.Items[1]).Values["c"]).IsNull);
        Assert.Equal((3, 5), (top.KeyLines["b"], list.Items[1].Line));
    }
}
