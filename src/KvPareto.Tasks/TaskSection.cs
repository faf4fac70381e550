using KvPareto.Text.Input;
using KvPareto.Text.Yaml;

namespace KvPareto.Tasks;

/// <summary>One task of a config while its options read it.</summary>
/// <param name="value">The mapping.</param>
/// <param name="folder">Where relative paths start.</param>
/// <param name="seed">The config's seed, for tasks that name none of their own.</param>
/// <param name="context">The first of the config's contexts, at which tasks are made in place of their own lengths; null where it has
/// none.</param>
internal sealed class TaskSection(ConfigValue value, string folder, int seed, int? context = null)
{
    /// <summary>Most rows, samples or the like that a config can ask for.</summary>
    public const int MostRows = 1_000_000;

    /// <summary>Most tokens of anything.</summary>
    public const int MostTokens = 1 << 20;

    /// <summary>Key of the kind of task.</summary>
    internal const string KindKey = "task";

    private ConfigMap _map;

    /// <summary>The config's seed.</summary>
    public int Seed => seed;

    /// <summary>File, line and key, for messages.</summary>
    public string Place => value.Place;

    /// <summary>The key <c>name</c>, or null.</summary>
    public string? Name => Find("name")?.Text("any text");

    /// <summary>Says which keys there are besides <c>task</c> and <c>name</c>. To be called before any is read.</summary>
    /// <exception cref="ConfigException">The config has another one.</exception>
    public void Allow(params ReadOnlySpan<string> keys) => _map = value.Map([KindKey, "name", .. keys]);

    /// <summary>The value of a key, or null where it is absent.</summary>
    public ConfigValue? Find(string key) => _map.Find(key);

    /// <summary>The value of a key that must be there.</summary>
    /// <param name="key">Key.</param>
    /// <param name="words">What is allowed.</param>
    public ConfigValue Require(string key, string words) => _map.Require(key, words);

    /// <summary>The key <c>length</c> of prompts, which must be there unless the config has contexts.</summary>
    /// <param name="words">What is allowed.</param>
    /// <param name="least">Least length.</param>
    /// <param name="most">Greatest length.</param>
    public int Length(string words, int least, int most) =>
        context is int tokens && Find("length") is null ? Math.Clamp(tokens, least, most) : Require("length", words).Integer(least, most);

    /// <summary>The key <c>lengths</c>, by the same rule.</summary>
    public int[] Lengths(string words, int least, int most) => context is int tokens && Find("lengths") is null
        ? [Math.Clamp(tokens, least, most)]
        : [.. Require("lengths", words).List(words).Select(item => item.Integer(least, most))];

    /// <summary>The path of a file that must be named and be there.</summary>
    /// <param name="key">Key.</param>
    /// <param name="words">What is allowed.</param>
    public string File(string key, string words) => Existing(Require(key, words), System.IO.File.Exists, words);

    /// <summary>The same of a folder.</summary>
    public string Folder(string key, string words) => Existing(Require(key, words), Directory.Exists, words);

    /// <summary>The same of a file or folder.</summary>
    public string FileOrFolder(string key, string words) => Existing(Require(key, words), Path.Exists, words);

    /// <summary>The path of a file that must be there if it is named, or null.</summary>
    public string? FindFile(string key, string words) => Find(key) is { } path ? Existing(path, System.IO.File.Exists, words) : null;

    /// <summary>The same of a folder.</summary>
    public string? FindFolder(string key, string words) => Find(key) is { } path ? Existing(path, Directory.Exists, words) : null;

    private string Existing(ConfigValue path, Func<string, bool> exists, string words)
    {
        var full = ConfigPath.Resolve(path, folder);
        if (exists(full)) return full;
        var problem = System.IO.File.Exists(full) ? "is a file" : Directory.Exists(full) ? "is a folder" : "does not exist";
        throw path.Error($"names '{full}', which {problem}", words);
    }
}
