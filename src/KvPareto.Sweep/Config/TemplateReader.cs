using KvPareto.Text.Input;
using KvPareto.Text.Templates;
using KvPareto.Text.Yaml;

namespace KvPareto.Sweep.Config;

/// <summary>Reads the key <c>template</c>: what the config tells the models' chat templates.</summary>
internal static class TemplateReader
{
    /// <summary>The settings.</summary>
    /// <exception cref="ConfigException">It is no mapping, a name cannot be set, or a date is none.</exception>
    public static TemplateSettings Read(ConfigValue value)
    {
        if (value.Node is not YamlMapping map) throw value.Error("is no mapping", TemplateSettings.Words);
        try
        {
            return TemplateSettings.Create(map.Values.Select(static pair => KeyValuePair.Create(pair.Key, Of(pair.Value))));
        }
        catch (ConfigException problem)
        {
            throw new ConfigException($"{value.File}:{value.Node.Line}: {problem.Message}", problem);
        }
    }

    private static object? Of(YamlNode node) => node switch
    {
        YamlScalar { Plain: false } scalar => scalar.Text,
        YamlScalar scalar => TemplateSettings.Value(scalar.Text),
        YamlSequence list => list.Items.Select(Of).ToList(),
        YamlMapping map => map.Values.ToDictionary(static pair => pair.Key, static pair => Of(pair.Value), StringComparer.Ordinal),
        _ => throw new InvalidOperationException($"a YAML node of type {node.GetType().Name}"),
    };
}
