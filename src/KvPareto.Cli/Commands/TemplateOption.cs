using System.CommandLine;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;

namespace KvPareto.Cli.Commands;

/// <summary><c>--template KEY=VALUE</c>: what the model's chat template is told.</summary>
internal static class TemplateOption
{
    private const string Name = "--template";

    /// <summary>The option, which may be repeated.</summary>
    public static Option<string[]> Create() => new(Name)
    {
        Description =
            "A variable of the chat template, enable_thinking=false for example, or strftime_now=yyyy-MM-dd for its date. May be repeated.",
        HelpName = "KEY=VALUE",
        DefaultValueFactory = _ => [],
    };

    /// <summary>The settings that its values make.</summary>
    /// <exception cref="ConfigException">One has no <c>=</c>, or a name cannot be set.</exception>
    public static TemplateSettings Read(IEnumerable<string> values) => TemplateSettings.Create(values.Select(static value =>
        value.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
            ? KeyValuePair.Create(
                value[..at], value[..at] == TemplateSettings.DateName ? value[(at + 1)..] : TemplateSettings.Value(value[(at + 1)..]))
            : throw new ConfigException($"{Name} {value}; allowed: KEY=VALUE with {TemplateSettings.Words}")));
}
