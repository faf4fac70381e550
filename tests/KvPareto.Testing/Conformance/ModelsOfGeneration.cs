using System.Text.Json.Nodes;

namespace KvPareto.Testing.Conformance;

/// <summary>The small models that generations are compared on.</summary>
internal static class ModelsOfGeneration
{
    /// <summary>A family's: Mistral's has a window; of <c>dynamic</c>, longer runs turn their keys by frequencies of their own.</summary>
    public static string Write(string model, ScratchFolder folder) => model switch
    {
        "dynamic" => new TinyModel
        {
            MaxPositions = 200,
            Overrides = new Dictionary<string, JsonNode?> { ["rope_scaling"] = new JsonObject { ["type"] = "dynamic", ["factor"] = 2.0 } },
        }.Write(folder["model"]),
        _ => new TinyModel { Family = model, Window = model == "mistral" ? 100 : null }.Write(folder["model"]),
    };
}
