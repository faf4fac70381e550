using KvPareto.Text.Input;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace KvPareto.Text.Yaml;

/// <summary>
/// Reads one YAML document into <see cref="YamlNode"/>s. Configs are plain data: anchors, aliases, tags and second documents are
/// refused, and nesting is bounded, so that no small file can grow large or deep in memory.
/// </summary>
public sealed class YamlTree
{
    private const int MaxDepth = 16;
    private const int MostCharacters = 120;

    private readonly string _file;
    private readonly Parser _parser;

    private YamlTree(string file, string text)
    {
        _file = file;
        _parser = new Parser(new StringReader(text));
    }

    /// <summary>The document's top value.</summary>
    /// <exception cref="ConfigException">Not YAML, or YAML that a config has no use for; names file and line.</exception>
    public static YamlNode Parse(string file, string text)
    {
        var tree = new YamlTree(file, text);
        // The parser takes a NUL for the end.
        if (text.IndexOf('\0', StringComparison.Ordinal) is >= 0 and var nul)
            throw tree.Refused(1 + text.AsSpan(..nul).Count('\n'), "holds a NUL character");
        try
        {
            return tree.Document();
        }
        catch (YamlException e)
        {
            throw tree.Refused(tree.LineOf(e, text), $"not YAML: {Words(e.Message)}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or ArithmeticException)
        {
            // YamlDotNet's scanner meets some damage with exceptions that it did not mean for its callers.
            throw tree.Refused(tree._parser.Current?.End.Line ?? 1, "not YAML from here on", e);
        }
    }

    private YamlNode Document()
    {
        _parser.Consume<StreamStart>();
        if (!_parser.TryConsume<DocumentStart>(out _)) throw Refused(1, "the file is empty");
        var top = Value(0);
        _parser.Consume<DocumentEnd>();
        return _parser.TryConsume<DocumentStart>(out var second) ? throw Refused(Line(second), "a second document; one is allowed") : top;
    }

    private YamlNode Value(int depth)
    {
        var next = _parser.Consume<ParsingEvent>();
        if (next is AnchorAlias) throw Refused(Line(next), "aliases (*name) are not allowed");
        if (next is NodeEvent { Anchor.IsEmpty: false }) throw Refused(Line(next), "anchors (&name) are not allowed");
        if (next is NodeEvent { Tag.IsEmpty: false }) throw Refused(Line(next), "tags (!name) are not allowed");
        if (depth > MaxDepth) throw Refused(Line(next), $"nested deeper than {MaxDepth} levels");
        return next switch
        {
            Scalar scalar => new YamlScalar(scalar.Value, scalar.Style == ScalarStyle.Plain, Line(scalar)),
            SequenceStart => Sequence(Line(next), depth),
            MappingStart => Mapping(Line(next), depth),
            _ => throw Refused(Line(next), "a value is missing"),
        };
    }

    private YamlSequence Sequence(int line, int depth)
    {
        var items = new List<YamlNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _)) items.Add(Value(depth + 1));
        return new(items, line);
    }

    private YamlMapping Mapping(int line, int depth)
    {
        var (values, lines) = (new Dictionary<string, YamlNode>(), new Dictionary<string, int>());
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            if (Value(depth + 1) is not YamlScalar key) throw Refused(line, "a key must be a word, not a list or mapping");
            if (!lines.TryAdd(key.Text, key.Line))
                throw Refused(key.Line, $"key '{ConfigValue.Shorten(key.Text)}' stands twice, first on line {lines[key.Text]}");
            values.Add(key.Text, Value(depth + 1));
        }
        return new(values, lines, line);
    }

    // Of a tab that indents, the parser gives no place: it is the first one after what was read last.
    private long LineOf(YamlException problem, string text)
    {
        if (!problem.Message.Contains(" tab ", StringComparison.Ordinal)) return problem.Start.Line;
        var read = (int)(_parser.Current?.End.Line ?? 1) - 1;
        var lines = text.Split('\n');
        var tab = Array.FindIndex(lines, Math.Clamp(read, 0, lines.Length), line => line.TrimStart(' ').StartsWith('\t'));
        return tab < 0 ? problem.Start.Line : tab + 1;
    }

    // "While parsing a flow sequence, did not find expected ',' or ']'." says what was found before where.
    private static string Words(string message)
    {
        var words = OneLine.OfMessage(message).TrimEnd('.', ' ');
        var comma = words.IndexOf(", ", StringComparison.Ordinal);
        if (words.StartsWith("While ", StringComparison.Ordinal) && comma > 0) words = words[(comma + 2)..];
        return words.Length <= MostCharacters ? words : words[..MostCharacters] + "…";
    }

    private ConfigException Refused(long line, string problem, Exception? inner = null)
    {
        var message = $"{_file}:{Math.Max(1, line)}: {problem}";
        return inner is null ? new(message) : new(message, inner);
    }

    private static int Line(ParsingEvent at) => (int)at.Start.Line;
}
