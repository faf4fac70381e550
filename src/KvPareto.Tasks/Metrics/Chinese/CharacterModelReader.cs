using System.Text.Json;
using System.Text.Json.Serialization;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Metrics.Chinese;

/// <summary>Reads <c>hmm.json</c>: <c>start</c>, <c>transition</c> and <c>emission</c> over the states B, M, E, S.</summary>
internal static class CharacterModelReader
{
    private const string Allowed =
        "allowed: {\"start\": {\"B\": -0.26, …}, \"transition\": {\"B\": {\"E\": -0.51, …}, …}, \"emission\": {\"B\": {\"一\": -3.65, "
            + "…}, …}}";

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
    };

    /// <summary>The model of a file.</summary>
    /// <exception cref="ConfigException">Names file, line, key and what is wrong.</exception>
    public static CharacterModel Parse(JiebaFile file)
    {
        var model = Deserialize(file);
        var states = CharacterModel.States.Length;
        var (start, transition, emission) = (new double[states], new double[states, states], new Dictionary<char, double>[states]);
        for (var from = 0; from < states; from++)
        {
            start[from] = Checked(file, "start", Required(file, "start", model.Start, from));
            var following = Required(file, "transition", model.Transition, from);
            for (var to = 0; to < states; to++)
                transition[from, to] = Checked(file, Key("transition", from), following.GetValueOrDefault(Name(to), CharacterModel.Never));
            emission[from] = Letters(file, Key("emission", from), Required(file, "emission", model.Emission, from));
        }
        return new(start, transition, emission);
    }

    private static ModelFile Deserialize(JiebaFile file)
    {
        try
        {
            return JsonSerializer.Deserialize<ModelFile>(file.Text(), Options) ?? throw new JsonException();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            var (line, at) = error is JsonException json ? (json.LineNumber ?? 0, json.BytePositionInLine ?? 0) : (0, 0);
            throw file.Error(line + 1, $"is not jieba's model at byte {at}; {Allowed}");
        }
    }

    private static T Required<T>(JiebaFile file, string key, Dictionary<string, T> values, int state) where T : notnull =>
        values.TryGetValue(Name(state), out var value) && value is not null
            ? value
            : throw file.Error($"key '{Key(key, state)}' is missing; {Allowed}");

    private static Dictionary<char, double> Letters(JiebaFile file, string key, Dictionary<string, double> values)
    {
        var letters = new Dictionary<char, double>(values.Count);
        foreach (var (text, value) in values)
        {
            if (text.Length != 1) throw file.Error($"key '{key}' has a key of {text.Length} characters; allowed: one character");
            letters[text[0]] = Checked(file, key, value);
        }
        return letters;
    }

    private static double Checked(JiebaFile file, string key, double value) => value is <= 0 and >= CharacterModel.Never
        ? value
        : throw file.Error($"key '{key}' has a number that is no log probability; allowed: {CharacterModel.Never:R} to 0");

    private static string Key(string key, int state) => $"{key}.{Name(state)}";

    private static string Name(int state) => CharacterModel.States[state].ToString();

    private sealed record ModelFile(
        [property: JsonRequired] Dictionary<string, double> Start,
        [property: JsonRequired] Dictionary<string, Dictionary<string, double>> Transition,
        [property: JsonRequired] Dictionary<string, Dictionary<string, double>> Emission);
}
