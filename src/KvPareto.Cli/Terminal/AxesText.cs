using System.Text;
using KvPareto.Engine.Settings;

namespace KvPareto.Cli.Terminal;

/// <summary>The axes as help shows them: key, meaning, values and default, within 80 columns in the manual page too.</summary>
internal static class AxesText
{
    private const int ManIndent = 7; // what man moves an example by
    private const string Indent = "  ";

    /// <summary>A heading, and a paragraph for each axis.</summary>
    public static string Of(IReadOnlyList<SettingAxis> axes)
    {
        var text = new StringBuilder("Axes:\n");
        var margin = axes.Max(axis => axis.Key.Length) + 2 * Indent.Length;
        var width = WrappedText.UsualWidth - ManIndent - margin;
        var standard = new InferenceSetting();
        foreach (var axis in axes)
        {
            var key = Indent + axis.Key;
            var values = $"values: {axis.Words}; default {axis.WordOf(standard)}";
            foreach (var line in WrappedText.Words(axis.Meaning, width).Concat(WrappedText.Words(values, width)))
            {
                text.Append(key.PadRight(margin)).Append(line).Append('\n');
                key = "";
            }
        }
        return text.ToString();
    }
}
