using System.Text.Json;
using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.Json;

namespace KvPareto.Text.Templates;

/// <summary>Finds a model folder's chat template and the special tokens that it may name.</summary>
internal static class ChatTemplateFiles
{
    /// <summary>File, text and variables of the template, or null where the folder has none.</summary>
    /// <exception cref="ConfigException">A file is damaged.</exception>
    public static (string File, string Text, Dictionary<string, object?> Variables)? Find(string folder)
    {
        var config = JsonFiles.Read(Path.Combine(folder, "tokenizer_config.json"));
        var variables = SpecialTokens(JsonFiles.Read(Path.Combine(folder, "special_tokens_map.json")), config);
        var file = Path.Combine(folder, "chat_template.jinja");
        if (JsonFiles.ReadBytes(file) is { } bytes)
            return (file, ForeignFile.TextOf(file, bytes).TrimStart('\uFEFF'), variables);
        var standing = JsonFiles.Read(Path.Combine(folder, "chat_template.json")) ?? config;
        return standing?.Child("chat_template") is { } template ? (template.File, Text(template), variables) : null;
    }

    private static string Text(JsonPart template)
    {
        if (template.Value.ValueKind != JsonValueKind.Array) return template.AsString();
        var named = template.Items().ToList();
        if (named.Find(static t => t.String("name") == "default") is { File: not null } chosen) return chosen.String("template");
        var names = string.Join(", ", named.Select(static t => OneLine.Quote(t.String("name"))));
        throw template.Error($"none of the templates is named 'default'; there are: {names}");
    }

    // bos_token and its kin: a string, or an added token with its content.
    private static Dictionary<string, object?> SpecialTokens(params ReadOnlySpan<JsonPart?> files)
    {
        var variables = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            if (file is not { Value.ValueKind: JsonValueKind.Object } part) continue;
            foreach (var property in part.Value.EnumerateObject())
            {
                if (property.Value.ValueKind == JsonValueKind.Null) continue;
                var value = new JsonPart(part.File, property.Name, property.Value);
                if (property.Name.EndsWith("_token", StringComparison.Ordinal) && JsonFiles.TokenText(value) is { } content)
                    variables[property.Name] = content;
                else if (property.Name == "additional_special_tokens")
                    variables[property.Name] = value.Items().Select(static object? (i) => JsonFiles.TokenText(i)).ToList();
            }
        }
        return variables;
    }
}
