using System.Text;
using KvPareto.Engine.Settings;

namespace KvPareto.Cli.Terminal;

/// <summary>The axes as help shows them: key, meaning, values and default, within 80 columns in the manual page too.</summary>
internal static class AxesText
{
    private const int Columns = 80 - 7; // what man moves an example by
    private const string Indent = "  ";

    /// <summary>A heading, and a paragraph for each axis.</summary>
    public static string Of(IReadOnlyList<SettingAxis> axes)
    {
        var text = new StringBuilder("Axes:\n");
        var margin = axes.Max(axis => axis.Key.Length) + 2 * Indent.Length;
        var standard = new InferenceSetting();
        foreach (var axis in axes)
        {
            var key = Indent + axis.Key;
            var values = $"values: {axis.Words}; default {axis.WordOf(standard)}";
            foreach (var line in Wrap(axis.Meaning, Columns - margin).Concat(Wrap(values, Columns - margin)))
            {
                text.Append(key.PadRight(margin)).Append(line).Append('\n');
                key = "";
            }
        }
        return text.ToString();
    }

    private static IEnumerable<string> Wrap(string text, int width)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }
            line.Append(line.Length > 0 ? " " : "").Append(word);
        }
        yield return line.ToString();
    }
}
