using System.Globalization;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Metrics.Chinese;

/// <summary>
/// Words with their frequencies, as a tree of characters: its nodes are the words and all their beginnings, which is jieba's prefix
/// dictionary without a string for each.
/// </summary>
internal sealed class WordTree
{
    /// <summary>The empty beginning; no node's child.</summary>
    public const int Root = 0;

    /// <summary>Longest word that is read; bounds the time that a text takes. jieba's longest has 16 characters.</summary>
    internal const int MaxWordLength = 64;

    /// <summary>Most nodes, which bounds the memory to some 150 MB. jieba's dictionary makes half a million.</summary>
    internal const int MaxNodes = 4 << 20;

    private const string Allowed = "allowed: a word, a space and its frequency, a whole number; a tag may follow";

    private readonly Dictionary<long, int> _children = [];
    private readonly List<int> _frequencies = [0]; // [nodes]
    private long _total;

    private WordTree() { }

    /// <summary>Logarithm of the sum of all lines' frequencies.</summary>
    public double LogTotal { get; private set; }

    /// <summary>Reads the lines of <c>dict.txt</c>: word, frequency and tag; a word's last line holds.</summary>
    /// <exception cref="ConfigException">Names file, line and what is wrong.</exception>
    public static WordTree Parse(JiebaFile file)
    {
        var tree = new WordTree();
        var text = file.Text();
        var number = 0;
        foreach (var range in text.AsSpan().Split('\n'))
        {
            number++;
            var line = text.AsSpan()[range].Trim(" \t\r\v\f");
            if (line.IsEmpty && range.End.Value == text.Length) break;
            tree.Add(file, number, line);
        }
        if (tree._total == 0) throw file.Error("has no word with a frequency; allowed: jieba's own file");
        tree.LogTotal = Math.Log(tree._total);
        return tree;
    }

    /// <summary>The node that <paramref name="letter"/> leads to; <see cref="Root"/> where no word begins so.</summary>
    public int Child(int node, char letter) => _children.GetValueOrDefault(Key(node, letter));

    /// <summary>Frequency of the word that ends at a node; 0 where it is a beginning only.</summary>
    public int Frequency(int node) => _frequencies[node];

    /// <summary>Frequency of a word; 0 where it is none.</summary>
    public int Frequency(ReadOnlySpan<char> word)
    {
        var node = Root;
        foreach (var letter in word)
            if ((node = Child(node, letter)) == Root) return 0;
        return _frequencies[node];
    }

    private void Add(JiebaFile file, int number, ReadOnlySpan<char> line)
    {
        var space = line.IndexOf(' ');
        if (space <= 0) throw file.Error(number, $"is no word with a frequency; {Allowed}");
        if (space > MaxWordLength) throw file.Error(number, $"has a word of {space} characters; allowed: up to {MaxWordLength}");
        var rest = line[(space + 1)..];
        var digits = rest.IndexOf(' ') is >= 0 and var end ? rest[..end] : rest;
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var frequency))
            throw file.Error(number, $"has no frequency from 0 to {int.MaxValue} after its word; {Allowed}");

        var node = Root;
        foreach (var letter in line[..space]) node = ChildOrNew(node, letter);
        if (_frequencies.Count > MaxNodes) throw file.Error(number, $"is one word too many; allowed: {MaxNodes} beginnings of words");
        _frequencies[node] = frequency;
        _total += frequency;
    }

    private int ChildOrNew(int node, char letter)
    {
        if (!_children.TryAdd(Key(node, letter), _frequencies.Count)) return Child(node, letter);
        _frequencies.Add(0);
        return _frequencies.Count - 1;
    }

    private static long Key(int node, char letter) => (long)node << 16 | letter;
}
