using System.Collections.Immutable;

namespace KvPareto.Engine.Settings;

/// <summary>An axis of one value.</summary>
/// <typeparam name="T">The value.</typeparam>
internal sealed class ValueAxis<T> : SettingAxis
{
    /// <summary>Reads a setting's value.</summary>
    public required Func<InferenceSetting, T> Get { get; init; }

    /// <summary>Sets it.</summary>
    public required Func<InferenceSetting, T, InferenceSetting> With { get; init; }

    /// <summary>The word of a config.</summary>
    public required Func<T, string> Word { get; init; }

    /// <summary>The value of a word; false where it is none.</summary>
    public required Reader Read { get; init; }

    /// <summary>The part of a short name; null where it is left out.</summary>
    public Func<T, string?>? Part { get; init; }

    /// <summary>The value of a part; false where it is none.</summary>
    public Reader? ReadPart { get; init; }

    /// <summary>Whether a short name must have the part.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Whether a setting's value is what a word of a config means.</summary>
    public Func<T, T, bool> Same { get; init; } = (value, wanted) => Equals(value, wanted);

    /// <summary>Whether a setting has such a value at all.</summary>
    public Func<InferenceSetting, bool> Applies { get; init; } = _ => true;

    /// <summary>The value to which one that makes no difference falls.</summary>
    public Func<InferenceSetting, T>? Settled { get; init; }

    /// <summary>Reads a word.</summary>
    public delegate bool Reader(string word, out T value);

    /// <inheritdoc/>
    public override string WordOf(InferenceSetting setting) => Word(Get(setting));

    /// <inheritdoc/>
    public override InferenceSetting? Set(InferenceSetting setting, string word) => Read(word, out var value) ? With(setting, value) : null;

    /// <inheritdoc/>
    public override bool Has(InferenceSetting setting, string word) =>
        Read(word, out var wanted) && Applies(setting) && Same(Get(setting), wanted);

    /// <inheritdoc/>
    public override InferenceSetting Collapse(InferenceSetting setting) => Settled is null ? setting : With(setting, Settled(setting));

    /// <inheritdoc/>
    public override ImmutableArray<string> Parts(InferenceSetting setting) => Part?.Invoke(Get(setting)) is { } part ? [part] : [];

    /// <inheritdoc/>
    public override InferenceSetting? Take(InferenceSetting setting, Queue<string> rest)
    {
        if (ReadPart is null) return setting;
        if (!rest.TryPeek(out var part) || !ReadPart(part, out var value)) return IsRequired ? null : setting;
        rest.Dequeue();
        return With(setting, value);
    }
}
