using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using KvPareto.Engine.Generation;

namespace KvPareto.Sweep;

/// <summary>All that one trial's scores depend on.</summary>
/// <param name="Model">The model's name in the config; not part of the identity, its files are.</param>
/// <param name="ModelDigest">SHA-256 (hex) over the model's files.</param>
/// <param name="Setting">The setting.</param>
/// <param name="TaskDigests">Digests of the tasks, in the config's order.</param>
/// <param name="Seed">The sweep's seed.</param>
public sealed record TrialSpec(string Model, string ModelDigest, InferenceSetting Setting, IReadOnlyList<string> TaskDigests, int Seed)
{
    private const int IdBytes = 8;

    /// <summary>The first 16 hex digits of SHA-256 over the canonical JSON of model digest, seed, setting and task digests.</summary>
    public string Id { get; } = Hash(CanonicalJson.Write(new JsonObject
    {
        ["model"] = ModelDigest,
        ["setting"] = Setting.Name,
        ["tasks"] = new JsonArray([.. TaskDigests.Select(digest => JsonValue.Create(digest))]),
        ["seed"] = Seed,
    }));

    private static string Hash(string canonical) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)).AsSpan(0, IdBytes));
}
