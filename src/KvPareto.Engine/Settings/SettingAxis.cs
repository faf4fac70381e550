using System.Collections.Immutable;

namespace KvPareto.Engine.Settings;

/// <summary>A column of results.csv that shows a part of a setting.</summary>
/// <param name="Name">Heading.</param>
/// <param name="Cell">The setting's cell; null leaves it empty.</param>
public sealed record SettingColumn(string Name, Func<InferenceSetting, string?> Cell);

/// <summary>
/// One thing in which settings can differ. All that reads or writes settings (short names, configs, patterns, CSV, help and docs) goes
/// through <see cref="SettingAxes.All"/> and knows no axis by itself.
/// </summary>
public abstract class SettingAxis
{
    /// <summary>Its key under <c>axes:</c> of a config.</summary>
    public required string Key { get; init; }

    /// <summary>The values that a config may give it, in words.</summary>
    public required string Words { get; init; }

    /// <summary>What it is, for help and docs.</summary>
    public required string Meaning { get; init; }

    /// <summary>Its part of a short name, for messages; null where another axis writes it.</summary>
    public string? PartWords { get; init; }

    /// <summary>Keys of the axes that it sets at once; a config that has it cannot have them.</summary>
    public ImmutableArray<string> Covers { get; init; } = [];

    /// <summary>Its columns.</summary>
    public ImmutableArray<SettingColumn> Columns { get; init; } = [];

    /// <summary>The value of a setting as a config says it.</summary>
    public abstract string WordOf(InferenceSetting setting);

    /// <summary>The setting with a value that a config gives; null where the word is none.</summary>
    public abstract InferenceSetting? Set(InferenceSetting setting, string word);

    /// <summary>Whether a setting has a value that a config gives.</summary>
    public abstract bool Has(InferenceSetting setting, string word);

    /// <summary>The setting with everything of this axis at its default that makes no difference there.</summary>
    public virtual InferenceSetting Collapse(InferenceSetting setting) => setting;

    /// <summary>Its parts of the setting's short name; none where they are left out.</summary>
    public virtual ImmutableArray<string> Parts(InferenceSetting setting) => [];

    /// <summary>Takes its parts off the front of a short name's rest and sets what they say; null where a part that must be there is
    /// not.</summary>
    public virtual InferenceSetting? Take(InferenceSetting setting, Queue<string> rest) => setting;
}
