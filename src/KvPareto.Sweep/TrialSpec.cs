using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using KvPareto.Engine.Settings;

namespace KvPareto.Sweep;

/// <summary>All that one trial's scores depend on.</summary>
/// <param name="Model">The model's name in the config; not part of the identity, its files are.</param>
/// <param name="ModelDigest">SHA-256 (hex) over the model's files.</param>
/// <param name="Setting">The setting.</param>
/// <param name="TaskDigests">Digests of the tasks, in the config's order.</param>
/// <param name="Seed">The sweep's seed.</param>
/// <param name="Backend">Kind of device (<see cref="Engine.Seam.Backend.Name"/>): activations are rounded differently on another.</param>
public sealed record TrialSpec(
    string Model, string ModelDigest, InferenceSetting Setting, IReadOnlyList<string> TaskDigests, int Seed, string Backend = TrialSpec.Cpu)
{
    private const string Cpu = "cpu";
    private const int IdBytes = 8;

    /// <summary>
    /// The first 16 hex digits of SHA-256 over the canonical JSON of model digest, seed, setting and task digests, and of the backend
    /// where it is not the processor.
    /// </summary>
    public string Id { get; } = Hash(CanonicalJson.Write(Identity(ModelDigest, Setting, TaskDigests, Seed, Backend)));

    private static JsonObject Identity(string modelDigest, InferenceSetting setting, IReadOnlyList<string> taskDigests, int seed, string backend)
    {
        var identity = new JsonObject
        {
            ["model"] = modelDigest,
            ["setting"] = setting.Name,
            ["tasks"] = new JsonArray([.. taskDigests.Select(digest => JsonValue.Create(digest))]),
            ["seed"] = seed,
        };
        if (backend != Cpu) identity["backend"] = backend;
        return identity;
    }

    private static string Hash(string canonical) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)).AsSpan(0, IdBytes));
}
