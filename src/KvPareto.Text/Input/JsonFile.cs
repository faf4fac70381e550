using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KvPareto.Text.Input;

/// <summary>JSON files of a model folder, for people to read too.</summary>
internal static class JsonFile
{
    private static readonly JsonSerializerOptions Readable = new()
    { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a file, indented.</summary>
    public static void Write(string path, JsonObject content) => File.WriteAllText(path, content.ToJsonString(Readable) + "\n");
}
