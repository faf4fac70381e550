using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Metrics.Chinese;

/// <summary>
/// Cuts Chinese text into words as <c>jieba.cut(text, cut_all=False)</c> of jieba 0.42.1 does (github.com/fxsjy/jieba, MIT), from jieba's
/// own data: in each run of Chinese characters, ASCII letters, digits and a few signs, the likeliest words of the dictionary; where those
/// are single characters, the words of a <see cref="CharacterModel"/>. All other characters are words of their own.
/// </summary>
internal sealed class ChineseSegmenter
{
    /// <summary>What a user must name, for messages.</summary>
    public const string FolderWords = "a folder with jieba's dict.txt and hmm.json";

    private static readonly ConcurrentDictionary<string, Lazy<ChineseSegmenter>> Opened = new(StringComparer.Ordinal);

    private readonly WordTree _dictionary;
    private readonly CharacterModel _model;

    private ChineseSegmenter(JiebaFile dictionary, JiebaFile model)
    {
        _dictionary = WordTree.Parse(dictionary);
        _model = CharacterModelReader.Parse(model);
        using var digest = new TaskDigest();
        Digest = digest.Add("jieba/0.42.1").Add(Hash(dictionary)).Add(Hash(model)).Finish();

        static string Hash(JiebaFile file) => Convert.ToHexStringLower(SHA256.HashData(file.Bytes.Span));
    }

    /// <summary>SHA-256 (hex) over both files.</summary>
    public string Digest { get; }

    /// <summary>The segmenter of a folder, read once a process: <c>dict.txt</c> (word, frequency, tag) and <c>hmm.json</c>.</summary>
    /// <exception cref="ConfigException">The folder or a file is not there or is damaged; names file and line.</exception>
    public static ChineseSegmenter Open(string folder)
    {
        if (!Directory.Exists(folder)) throw new ConfigException($"jieba: '{folder}' is no folder; allowed: {FolderWords}");
        return Opened.GetOrAdd(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)), path => new(() => Read(path))).Value;
    }

    /// <summary>The words in order; joined they are <paramref name="text"/> again.</summary>
    public IReadOnlyList<string> Cut(string text)
    {
        var words = new List<string>();
        for (var at = 0; at < text.Length;)
        {
            var end = at;
            while (end < text.Length && IsInBlock(text[end])) end++;
            if (end > at)
            {
                CutBlock(text.AsSpan(at, end - at), words);
            }
            else
            {
                end += LengthAlone(text.AsSpan(at));
                words.Add(text[at..end]);
            }
            at = end;
        }
        return words;
    }

    private static ChineseSegmenter Read(string folder) =>
        new(JiebaFile.Read(Path.Combine(folder, "dict.txt")), JiebaFile.Read(Path.Combine(folder, "hmm.json")));

    /// <summary>jieba's <c>re_han_default</c>.</summary>
    private static bool IsInBlock(char c) =>
        CharacterModel.IsHan(c) || char.IsAsciiLetterOrDigit(c) || c is '+' or '#' or '&' or '.' or '_' or '%' or '-';

    /// <summary>What stands outside of blocks is a word by itself: a code point, or the two characters of a line's end.</summary>
    private static int LengthAlone(ReadOnlySpan<char> text)
    {
        if (text.StartsWith("\r\n")) return 2;
        Rune.DecodeFromUtf16(text, out _, out var length);
        return length;
    }

    private void CutBlock(ReadOnlySpan<char> block, List<string> words)
    {
        var ends = LikeliestEnds(block);
        var alone = 0; // where the current run of single characters began
        for (var at = 0; at < block.Length; at = ends[at])
        {
            if (ends[at] - at == 1) continue;
            CutAlone(block[alone..at], words);
            alone = ends[at];
            words.Add(block[at..alone].ToString());
        }
        CutAlone(block[alone..], words);
    }

    /// <summary>
    /// [characters]: where the word from a character on ends, on the likeliest way to the block's end. Of equals the longest, as Python's
    /// <c>max</c> of pairs has it.
    /// </summary>
    private int[] LikeliestEnds(ReadOnlySpan<char> block)
    {
        var ends = new int[block.Length];
        var best = new double[block.Length + 1]; // log probability of the rest
        for (var at = block.Length - 1; at >= 0; at--)
        {
            best[at] = double.NegativeInfinity;
            var node = WordTree.Root;
            for (var end = at + 1; end <= block.Length; end++)
            {
                if ((node = _dictionary.Child(node, block[end - 1])) == WordTree.Root) break;
                if (_dictionary.Frequency(node) > 0) Consider(end, _dictionary.Frequency(node));
            }
            if (ends[at] == 0) Consider(at + 1, 1);

            void Consider(int end, int frequency)
            {
                var probability = Math.Log(frequency) - _dictionary.LogTotal + best[end];
                if (probability >= best[at]) (best[at], ends[at]) = (probability, end);
            }
        }
        return ends;
    }

    /// <summary>A run of single characters: words of the model, unless the dictionary has the run and yet preferred to part it.</summary>
    private void CutAlone(ReadOnlySpan<char> run, List<string> words)
    {
        if (run.Length > 1 && _dictionary.Frequency(run) == 0)
        {
            _model.Cut(run, words);
            return;
        }
        foreach (var letter in run) words.Add(letter.ToString());
    }
}
