using System.Globalization;
using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>Attributes, items and slices of values.</summary>
internal static class Members
{
    /// <summary><c>value.name</c>.</summary>
    public static object? Attribute(object? value, string name, RenderState state)
    {
        if (Values.Fail(value) is { } undefined) throw undefined;
        state.Walk(name);
        return Own(value, name, out var member) || TryKey(value, name, out member) ? member : Missing(value, name);
    }

    /// <summary>As <see cref="Attribute"/>, but no item of a dict.</summary>
    public static object? WithoutItems(object? value, string name)
    {
        if (Values.Fail(value) is { } undefined) throw undefined;
        return Own(value, name, out var member) ? member : Missing(value, name);
    }

    /// <summary><c>value[index]</c>.</summary>
    public static object? Item(object? value, object? index, RenderState state)
    {
        if (Values.Fail(value) is { } undefined) throw undefined;
        state.Walk(index);
        if (index is string name) return TryKey(value, name, out var found) || Own(value, name, out found) ? found : Missing(value, name);
        switch (value)
        {
            case JinjaDict dict when index is not (JinjaList { IsTuple: false } or JinjaDict):
                return state.TryGet(dict, index, out var item) ? item : Missing(value, Values.ToText(index));
            case JinjaList { IsOfDict: false } list when index is bool or long:
                var place = Values.ToLong(index);
                if (place < 0) place += list.Items.Count;
                return place >= 0 && place < list.Items.Count ? list.Items[(int)place] : Missing(value, Values.ToText(index));
            case string text when index is bool or long:
                state.Text(text.Length);
                var (at, length) = (Values.ToLong(index), PythonText.Length(text));
                if (at < 0) at += length;
                return at >= 0 && at < length ? PythonText.Character(text, (int)at) : Missing(value, Values.ToText(index));
            default:
                return Missing(value, Values.ToText(index));
        }
    }

    /// <summary><c>value[start:stop:step]</c> of a string or list.</summary>
    public static object? Slice(object? value, long? start, long? stop, long step, RenderState state)
    {
        if (step == 0) throw new JinjaException("a slice's step is 0");
        if (value is string counted) state.Text(counted.Length);
        if (value is string text && step == 1 && PythonText.Length(text) == text.Length)
        {
            var (first, end) = ((int)Clamp(start ?? 0, text.Length, 0), (int)Clamp(stop ?? text.Length, text.Length, 0));
            return first < end ? text[first..end] : "";
        }
        var items = value is string or JinjaList { IsOfDict: false } ? Values.Iterate(value, state)
            : throw Values.Fail(value) ?? new JinjaException($"{Values.TypeName(value)} cannot be sliced");
        state.Step(items.Count);
        List<object?> result = [];
        var low = step > 0 ? 0 : -1;
        var to = stop is { } given ? Clamp(given, items.Count, low) : step > 0 ? items.Count : -1;
        for (var at = Clamp(start ?? (step > 0 ? 0 : items.Count - 1), items.Count, low); step > 0 ? at < to : at > to; at += step)
        {
            if (at >= 0 && at < items.Count) result.Add(items[(int)at]);
            if (step > items.Count || step < -items.Count) break;
        }
        return value is JinjaList list ? new JinjaList(result, list.IsTuple) : string.Concat(result);
    }

    /// <summary>The value at the end of a dotted path, as the <c>attribute</c> argument of filters has it.</summary>
    /// <param name="value">Where the path begins.</param>
    /// <param name="path">Names and places with dots between them, or one place.</param>
    /// <param name="state">The rendering.</param>
    /// <param name="absent">Stands, where it is not null, for whatever on the path is undefined.</param>
    public static object? Path(object? value, object? path, RenderState state, object? absent = null)
    {
        object? Given(object? found) => found is Undefined && absent is not null ? absent : found;
        if (path is not string text) return Given(Item(value, path, state));
        state.Step(1 + text.Length);
        foreach (var part in text.Split('.'))
        {
            var isIndex = long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var index);
            value = Given(isIndex ? Item(value, index, state) : Attribute(value, part, state));
        }
        return value;
    }

    private static long Clamp(long place, int length, int low)
    {
        if (place < 0) place += length;
        return Math.Clamp(place, low, low < 0 ? length - 1 : length);
    }

    private static bool TryKey(object? value, string name, out object? found)
    {
        found = null;
        return value is JinjaDict dict && dict.Items.TryGetValue(name, out found);
    }

    private static bool Own(object? value, string name, out object? member)
    {
        member = value switch
        {
            JinjaList { IsGroup: true } group when name is "grouper" or "list" => group.Items[name == "grouper" ? 0 : 1],
            string text => StringMethods.Find(text, name),
            JinjaDict dict => DictMethods.Find(dict, name),
            JinjaList list => ListMethods.Find(list, name),
            LoopValue loop => loop.Attribute(name),
            _ => null,
        };
        if (value is JinjaNamespace space) return space.Attributes.TryGetValue(name, out member);
        if (value is LoopValue && member is null && LoopValue.HasAttribute(name)) return true;
        return member is not null;
    }

    private static Undefined Missing(object? value, string name) =>
        new($"'{Values.TypeName(value)} object' has no attribute {OneLine.Quote(name)}; it");
}
