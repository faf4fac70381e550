using KvPareto.Engine.Seam;
using static System.FormattableString;

namespace KvPareto.Sweep.Answers.Engines;

/// <summary>LMDeploy's <c>lmdeploy serve api_server</c> (policies as of its docs/en/quantization/kv_quant.md).</summary>
internal static class LmDeployFlags
{
    /// <summary>Cache policies by bits of keys and values.</summary>
    private static readonly Dictionary<(int Keys, int Values), (int Policy, string? Difference)> Policies = new()
    {
        [(16, 16)] = (0, null),
        [(8, 8)] = (8, "has one scale and zero point for a head's channels of a token"),
        [(4, 4)] = (4, "has one scale and zero point for a head's channels of a token"),
        [(4, 2)] = (42, "codes policy 42 by TurboQuant: a rotation and codebooks in place of scales and zero points"),
    };

    /// <summary>The command and what differs.</summary>
    public static EngineAnswer For(EngineRequest request)
    {
        var setting = request.Setting;
        var (commands, differences) = (new List<IReadOnlyList<string>>(), new List<string>());
        var folder = AwqFolder.Of(setting.Weights, [4], [128]);
        if (folder.Making is { } making) commands.Add(making);
        differences.AddRange(folder.Differences);
        List<string> command = [$"lmdeploy serve api_server {folder.Model}"];
        if (Policies.TryGetValue(request.Bits, out var policy))
        {
            // Only LMDeploy's engine in PyTorch has had TurboQuant from the first.
            command.Add(policy.Policy == 42 ? "--backend pytorch" : "--backend turbomind");
            command.Add(Invariant($"--quant-policy {policy.Policy}"));
            if (policy.Difference is { } difference) differences.Add(difference);
        }
        else
        {
            command.Add("--backend turbomind");
            differences.Add(Invariant($"has no policy with {request.Bits.Keys}-bit keys and {request.Bits.Values}-bit values; ")
                + "it has 8 (k8v8), 4 (k4v4) and 42 (k4v2)");
        }
        if (folder.IsPacked) command.Add("--model-format awq");
        command.AddRange(
        [
            Invariant($"--session-len {request.Tokens}"), "--max-batch-size 1",
            Invariant($"--max-prefill-token-num {setting.Chunk ?? request.Tokens}"),
        ]);
        commands.Add(command);
        if (setting.Attention == AttentionKernel.Math) differences.Add("never materialises attention scores");
        differences.AddRange(request.Unsaid());
        return new("LMDeploy", commands, differences);
    }
}
