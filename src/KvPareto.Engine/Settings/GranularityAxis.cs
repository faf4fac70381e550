using System.Collections.Immutable;
using KvPareto.Engine.Cache;

namespace KvPareto.Engine.Settings;

/// <summary>The granularity of both sides: one part of a name, or one for each. A side without codes has none.</summary>
internal sealed class GranularityAxis : SettingAxis
{
    /// <summary>All of them: <c>tN, chN, …</c>.</summary>
    public static string All => string.Join(", ", KvAxisKind.All.Select(kind => kind.Word));

    /// <inheritdoc/>
    public override string WordOf(InferenceSetting setting)
    {
        var (keys, values) = (Short(setting.Cache.Keys.Granularity), Short(setting.Cache.Values.Granularity));
        return keys == values ? keys : $"k{keys}-v{values}";
    }

    /// <inheritdoc/>
    public override InferenceSetting? Set(InferenceSetting setting, string word) =>
        TryRead(new Queue<string>(word.Split('-')), out var groups) is null or > 0 ? null : With(setting, groups);

    /// <inheritdoc/>
    public override bool Has(InferenceSetting setting, string word)
    {
        if (TryRead(new Queue<string>(word.Split('-')), out var wanted) is null or > 0) return false;
        var (keys, values) = (setting.Cache.Keys, setting.Cache.Values);
        return setting.Cache.IsCoded && (!keys.IsCoded || keys.Granularity == wanted.Keys)
            && (!values.IsCoded || values.Granularity == wanted.Values);
    }

    /// <inheritdoc/>
    public override InferenceSetting Collapse(InferenceSetting setting)
    {
        var (cache, full) = (setting.Cache, SideSpec.Full.Granularity);
        return With(setting, (cache.Keys.IsCoded ? cache.Keys.Granularity : full, cache.Values.IsCoded ? cache.Values.Granularity : full));
    }

    /// <inheritdoc/>
    public override ImmutableArray<string> Parts(InferenceSetting setting)
    {
        var (keys, values) = (setting.Cache.Keys, setting.Cache.Values);
        var (key, value) = (Short(keys.Granularity), Short(values.Granularity));
        if (keys.IsCoded && values.IsCoded) return key == value ? [key] : [$"k{key}", $"v{value}"];
        return keys.IsCoded ? [key] : values.IsCoded ? [value] : [];
    }

    /// <inheritdoc/>
    public override InferenceSetting? Take(InferenceSetting setting, Queue<string> rest)
    {
        var left = new Queue<string>(rest);
        if (TryRead(left, out var groups) is null) return setting;
        while (rest.Count > left.Count) rest.Dequeue();
        return With(setting, groups);
    }

    /// <summary>The part of one granularity.</summary>
    public static string Short(KvGranularity granularity) =>
        KvAxisKind.Of(granularity.Axis) is { HasGroup: true } kind
            ? kind.ShortName + SettingNumber.Text(granularity.Group)
            : KvAxisKind.Of(granularity.Axis).ShortName;

    /// <summary>Reads such a part.</summary>
    public static bool TryRead(string word, out KvGranularity granularity)
    {
        foreach (var kind in KvAxisKind.All)
        {
            var group = 0;
            if (kind.HasGroup ? !SettingNumber.TryAfter(kind.ShortName, word, out group) : word != kind.ShortName) continue;
            granularity = new(kind.Axis, group);
            return true;
        }
        granularity = default;
        return false;
    }

    // Parts left after one of both sides or one of each; null where neither is there.
    private static int? TryRead(Queue<string> parts, out (KvGranularity Keys, KvGranularity Values) groups)
    {
        groups = default;
        if (!parts.TryPeek(out var first)) return null;
        if (TryRead(first, out var both))
        {
            groups = (both, both);
            parts.Dequeue();
            return parts.Count;
        }
        if (first[..Math.Min(1, first.Length)] != "k" || !TryRead(first[1..], out var keys)) return null;
        if (parts.ElementAtOrDefault(1) is not ['v', .. var second] || !TryRead(second, out var values)) return null;
        groups = (keys, values);
        parts.Dequeue();
        parts.Dequeue();
        return parts.Count;
    }

    private static InferenceSetting With(InferenceSetting setting, (KvGranularity Keys, KvGranularity Values) groups) => setting with
    {
        Cache = setting.Cache with
        {
            Keys = setting.Cache.Keys with { Granularity = groups.Keys },
            Values = setting.Cache.Values with { Granularity = groups.Values },
        },
    };
}
