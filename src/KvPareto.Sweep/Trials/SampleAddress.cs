using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>
/// Names a measurement by all that determines it: model files, setting, prompt and limits, device and program. Two trials that ask the
/// same of the same model have the same address for it, whatever their tasks, seeds and numbers of samples are; the answer is scored
/// anew by the task that asks.
/// </summary>
/// <param name="device">The device in words, with its instruction set and threads: rounding and peaks may depend on them.</param>
internal sealed class SampleAddress(string device)
{
    private readonly Dictionary<TaskSample, string> _samples = new(ReferenceEqualityComparer.Instance);

    /// <summary>The address: 16 hex digits.</summary>
    public string Of(PlannedTrial trial, SweepTask task, TaskSample sample)
    {
        var identity = new JsonObject
        {
            ["model"] = trial.Spec.ModelDigest,
            ["setting"] = trial.Spec.Setting.Name,
            ["sample"] = DigestOf(sample),
            ["backend"] = trial.Spec.Backend,
            ["device"] = device,
            ["version"] = RunHost.ProgramVersion,
        };
        if (trial.Spec.Repeat is { } repeat) identity["repeat"] = repeat;
        // A comparison is with the model's own unquantized run over all windows of the task.
        if (sample.Kind == SampleKind.Compare) identity["task"] = task.Task.DigestOf(trial.Model.OriginalDigest);
        return TextHash.Id(CanonicalJson.Write(identity));
    }

    private string DigestOf(TaskSample sample)
    {
        if (_samples.TryGetValue(sample, out var known)) return known;
        var identity = new JsonObject
        {
            ["kind"] = sample.Kind.ToString(),
            ["prompt"] = Hash(sample.PromptIds),
            ["new"] = sample.MaxNewTokens,
            ["stopIds"] = new JsonArray([.. sample.StopIds.Select(id => JsonValue.Create(id))]),
            ["stopTexts"] = new JsonArray([.. sample.StopTexts.Select(text => JsonValue.Create(text))]),
            ["continuations"] = new JsonArray([.. sample.Continuations.Select(ids => JsonValue.Create(Hash(ids)))]),
        };
        return _samples[sample] = TextHash.Id(CanonicalJson.Write(identity));
    }

    private static string Hash(int[] ids) => ids.Length.ToString(CultureInfo.InvariantCulture) + ":"
        + Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(ids.AsSpan())));
}
