using System.Text.RegularExpressions;

namespace KvPareto.Text.Yaml;

/// <summary>Paths in a config: <c>${NAME}</c> stands for an environment variable, relative ones start at the config's folder.</summary>
public static partial class ConfigPath
{
    /// <summary>The full path that <paramref name="value"/> names.</summary>
    /// <param name="value">The text in the config.</param>
    /// <param name="baseFolder">Folder of the config.</param>
    /// <param name="otherWay">What else the user may do where a variable is not set; empty for nothing.</param>
    public static string Resolve(ConfigValue value, string baseFolder, string otherWay = "")
    {
        var text = value.Text("a path; ${NAME} stands for an environment variable");
        var expanded = Variable().Replace(text, match =>
        {
            var name = match.Groups["name"].Value;
            var content = Environment.GetEnvironmentVariable(name);
            return string.IsNullOrEmpty(content)
                ? throw value.Error($"needs the environment variable {name}, which is not set", $"a path; set {name}{otherWay}")
                : content;
        });
        if (expanded.Contains('\0', StringComparison.Ordinal)) throw value.Error("holds a NUL character", "a path");
        return Path.GetFullPath(Path.Combine(baseFolder, expanded));
    }

    [GeneratedRegex(@"\$\{(?<name>[A-Za-z_][A-Za-z0-9_]*)\}")]
    private static partial Regex Variable();
}
