using System.Globalization;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Text.Input;
using KvPareto.Text.Yaml;

namespace KvPareto.Sweep.Config;

/// <summary>The values of a <c>weights</c> list with the variants of a model that it brings.</summary>
/// <param name="Values">One for each item, in the list's order.</param>
/// <param name="Variants">One for each item that is a variant.</param>
internal sealed record WeightList(AxisValues Values, IReadOnlyList<WeightVariant> Variants);

/// <summary>Reads <c>weights: [w16, w4, awq: FOLDER, awq: {group: 128, calibration: FILE}, gguf: FILE]</c>, of a model or of the
/// axes.</summary>
/// <param name="baseFolder">Where relative paths start.</param>
internal sealed class WeightListReader(string baseFolder)
{
    /// <summary>The axis.</summary>
    public static SettingAxis Axis { get; } = SettingAxes.Find("weights");

    private const string PathWords = "awq: FOLDER, awq: {group: 128, calibration: FILE}, gguf: FILE";

    private static readonly int[] Groups = [32, 64, 128];

    private static string Words => $"{Axis.Words}; or a variant: {PathWords}";

    /// <summary>Reads a list.</summary>
    public WeightList Read(ConfigValue list)
    {
        var variants = new List<WeightVariant>();
        var values = new List<Func<InferenceSetting, InferenceSetting>>();
        foreach (var item in list.List($"a list of {Words}"))
        {
            if (item.Node is not YamlMapping)
            {
                values.Add(SweepAxes.Setter(Axis, item));
                continue;
            }
            var variant = Variant(item);
            if (variants.Find(other => other.Form == variant.Form) is { } twin)
                throw item.Error(
                    $"is a second variant '{variant.Form.Word}' beside {twin.Source}",
                        "one of each form; a model entry of its own for another");
            variants.Add(variant);
            values.Add(setting => Axis.Set(setting, variant.Form.Word)!);
        }
        return new(new(Axis, values), variants);
    }

    private WeightVariant Variant(ConfigValue item)
    {
        var map = item.Map("awq", "gguf");
        return (map.Find("awq"), map.Find("gguf")) switch
        {
            ({ Node: YamlMapping } recipe, null) => Made(recipe),
            ({ } folder, null) => Found(folder, "awq"),
            (null, { } file) => Found(file, "gguf"),
            _ => throw item.Error("is no variant of a model's weights", PathWords),
        };
    }

    private WeightVariant Made(ConfigValue value)
    {
        var map = value.Map("bits", "group", "calibration", "samples", "tokens");
        var file = map.Require("calibration", "a file of texts: JSON Lines with 'context' or 'text', or plain text");
        var recipe = new AwqRecipe(
            map.Find("bits") is { } bits ? OneOf(bits, [4, 8]) : 4,
            map.Find("group") is { } group ? OneOf(group, Groups) : 128,
            ConfigPath.Resolve(file, baseFolder),
            map.Find("samples")?.Integer(1, 100_000) ?? 64,
            map.Find("tokens")?.Integer(1, 100_000) ?? 512);
        if (!File.Exists(recipe.Calibration))
        {
            var problem = Directory.Exists(recipe.Calibration) ? "is a folder" : "does not exist";
            throw file.Error($"names '{recipe.Calibration}', which {problem}", "a file of texts");
        }
        var source =
            string.Create(
            CultureInfo.InvariantCulture, $"made with {file.Text("a path")}, {recipe.Samples} texts of {recipe.Tokens} tokens");
        return new(WeightForm.Awq(recipe.Bits, recipe.Group), source, value.Place) { Recipe = recipe };
    }

    private WeightVariant Found(ConfigValue value, string method)
    {
        var path = ConfigPath.Resolve(value, baseFolder);
        var allowed = method == "awq" ? "a folder whose config.json says quant_method awq, or {group: 128, calibration: FILE}"
            : "a .gguf file";
        if (!Path.Exists(path)) throw value.Error($"names '{path}', which does not exist", allowed);
        try
        {
            using var checkpoint = ModelSource.Open(path).OpenShapes();
            if (checkpoint.Form is not { } form || form.Method != method)
                throw value.Error($"names '{path}', which is no such checkpoint", allowed);
            return new(form, value.Text(allowed), value.Place) { Path = path };
        }
        catch (ConfigException e) when (!e.Message.StartsWith(value.File + ":", StringComparison.Ordinal))
        {
            throw new ConfigException($"{value.Place}: {e.Message}", e);
        }
    }

    private static int OneOf(ConfigValue value, int[] allowed)
    {
        var words = string.Join(", ", allowed);
        var number = value.Integer(allowed[0], allowed[^1], words);
        return allowed.Contains(number) ? number : throw value.Error($"is {number}", words);
    }
}
