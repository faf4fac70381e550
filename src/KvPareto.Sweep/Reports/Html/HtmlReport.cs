using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using KvPareto.Sweep.Frontier;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Reports.Html;

/// <summary>
/// <c>report.html</c>: one file that needs no network and no server. The page is made of the files beside this one; its data are a JSON
/// text within it, which scripts put into the page as text, never as markup.
/// </summary>
internal static class HtmlReport
{
    /// <summary>Its name in a run folder.</summary>
    public const string FileName = "report.html";

    private const string Prefix = "html/";

    // In this order they find what they use.
    private static readonly string[] Scripts =
        ["elements.js", "format.js", "state.js", "filters.js", "chart.js", "table.js", "memory.js", "samples.js", "provenance.js",
            "main.js"];

    // <, >, &, quotes and the line separators U+2028 and U+2029 are written as escapes in any case: nothing in the data ends the script.
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.Create(UnicodeRanges.All) };

    /// <summary>The whole file; the same trials and options give the same bytes.</summary>
    /// <param name="folder">The run's folder, whose <c>run.json</c> and samples are shown where they are there.</param>
    /// <param name="analysis">The trials.</param>
    /// <param name="options">Heading and baseline.</param>
    /// <exception cref="ConfigException">A file of the folder is damaged.</exception>
    public static byte[] Write(string folder, FrontierAnalysis analysis, ReportOptions options)
    {
        var script = string.Concat(Scripts.Select(name => Resource(name) + "\n"));
        var style = Resource("style.css");
        var data = PageData.Of(folder, analysis, options).ToJsonString(Plain);
        var page = Resource("page.html")
            .Replace("{{script-hash}}", Hash(script), StringComparison.Ordinal)
            .Replace("{{style-hash}}", Hash(style), StringComparison.Ordinal)
            .Replace("{{title}}", HtmlEncoder.Default.Encode(options.Run), StringComparison.Ordinal)
            .Replace("{{style}}", style, StringComparison.Ordinal)
            .Replace("{{script}}", script, StringComparison.Ordinal)
            // Last, so that nothing in the data is taken for a place of the page.
            .Replace("{{data}}", data, StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes(page);
    }

    /// <summary>What a page allows to run: this text alone.</summary>
    private static string Hash(string text) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Resource(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Prefix + name)
            ?? throw new InvalidOperationException($"{name} is not embedded");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
