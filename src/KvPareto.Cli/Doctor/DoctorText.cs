using System.Globalization;
using KvPareto.Cli.Terminal;
using KvPareto.Engine;
using KvPareto.Engine.Settings;

namespace KvPareto.Cli.Doctor;

/// <summary>What <c>kvpareto doctor</c> prints, line by line as it is found.</summary>
/// <param name="output">Where to.</param>
/// <param name="width">Columns of a terminal; null where there is none.</param>
internal sealed class DoctorText(TextWriter output, int? width)
{
    private const string BackendHeading = "backend";

    private const int NameWidth = 19;

    private readonly Dictionary<string, string> _said = []; // by what was found, the name
    private int _settingWidth;
    private int _backendWidth;
    private int _backends;

    /// <summary>The machine.</summary>
    public void Write(IEnumerable<(string Name, string Found)> machine)
    {
        foreach (var (name, found) in machine) Line(name, found);
    }

    /// <summary>A backend.</summary>
    public void Write(OpenedBackend opened) => Line(opened.Name, opened.Device
        ?? $"does not run here: {(_said.TryGetValue(opened.Reason!, out var name) ? $"see {name}" : opened.Reason)}");

    /// <summary>The head of the comparisons.</summary>
    public void Begin(string model, int tokens, IEnumerable<InferenceSetting> settings, IReadOnlyList<string> backends)
    {
        _settingWidth = settings.Max(setting => setting.Name.Length);
        _backendWidth = backends.Append(BackendHeading).Max(name => name.Length);
        _backends = backends.Count;
        output.WriteLine();
        output.WriteLine($"{model}, {tokens} tokens; error: of the logits, relative to {backends[0]}'s");
        Line("setting", BackendHeading, "error", "limit", "tokens/s", "result");
    }

    /// <summary>A comparison.</summary>
    public void Write(BackendComparison comparison) => Line(
        comparison.Setting, comparison.Backend, Short(comparison.Error), Short(comparison.Allowed),
        comparison.TokensPerSecond?.ToString("F0", CultureInfo.InvariantCulture) ?? "",
        comparison.Passes switch { true => "pass", false => "FAIL", null => $"left out: {comparison.LeftOut}" });

    /// <summary>What came of them.</summary>
    public void End(int failed) => output.WriteLine(
        failed > 0 ? $"{CountText.Of(failed, "comparison")} failed"
            : _backends == 1 ? "one backend runs here: there is nothing to compare it with"
            : $"{_backends} backends agree");

    private void Line(string name, string found)
    {
        _said.TryAdd(found, name);
        var lines = WrappedText.Words(found, width ?? int.MaxValue, NameWidth, NameWidth).ToList();
        output.WriteLine(name.PadRight(NameWidth) + lines[0][NameWidth..]);
        foreach (var line in lines.Skip(1)) output.WriteLine(line);
    }

    private void Line(string setting, string backend, string error, string limit, string rate, string result) => output.WriteLine(
        $"{setting.PadRight(_settingWidth)}  {backend.PadRight(_backendWidth)} {error,7} {limit,5} {rate,8}  {result}");

    private static string Short(double? value) => value?.ToString("g2", CultureInfo.InvariantCulture) ?? "";
}
