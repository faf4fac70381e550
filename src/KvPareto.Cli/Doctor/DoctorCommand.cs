using System.CommandLine;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Doctor;

/// <summary><c>kvpareto doctor [MODEL]</c></summary>
internal static class DoctorCommand
{
    private const int TextTokens = 192;

    private static readonly string[] Devices = [Verb.Cpu, Verb.Cuda, "torch", "torch:cuda"];

    private static readonly string[] Settings =
    [
        "w16a16-k16v16", "w16a16-k16v16-c64-math", "w8g64a16-k16v16-c64", "w4g64a16-k16v16-c64", "w16a16-k8v8-t64-c64",
            "w16a16-k4v4-kch32-vt64-rotkv-sink4-c64",
        "w16a16-k4v2-b16-smooth-recent20-c64", "w16a16-k8v4-tensor-clip95-c64", "w16a16-k8v8-pow2-edge1-c64",
            "w4g64a16-e8-k4v4-t64-prebias-c64",
    ];

    public static Command Create(CommandContext context)
    {
        var model = new Argument<string>("MODEL") { Description = $"{ModelSource.Words}.", DefaultValueFactory = _ => "embedded:qwen2" };
        var settings = new Option<string[]>("--setting")
        {
            Description = "Short names of settings to compare, in place of a list of all schemes.",
            HelpName = "NAME",
            AllowMultipleArgumentsPerToken = true
        };
        var threads = Verb.ThreadsOption();
        var json = new Option<bool>("--json") { Description = "Print one JSON object: machine, backends, comparisons, failed." };
        var command = new Verb(
            "doctor",
            "Says what of this machine can be used, and compares the logits of every backend that runs here with the processor's.",
            "kvpareto doctor                                  this machine, with a small model\nkvpareto doctor my-model --setting "
                + "w16a16-k4v4-t64  one's own model")
        {
            model, settings, threads, json,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var names = parsed.GetValue(settings) is { Length: > 0 } given ? given : Settings;
            return Task.FromResult(
                Run(context, ModelSource.Open(parsed.GetValue(model)!), [.. names.Select(InferenceSetting.Parse)], parsed.GetValue(threads),
                    parsed.GetValue(json), cancellation));
        });
        return command;
    }

    private static int Run(
        CommandContext context, ModelSource source, IReadOnlyList<InferenceSetting> settings, int? threads, bool isJson,
        CancellationToken cancellation)
    {
        var text = isJson ? null : new DoctorText(context.Output, context.OutputWidth());
        (string Name, string Found)[] machine = [.. Machine.Describe()];
        text?.Write(machine);
        var backends = new List<(string Name, Backend Backend)>();
        try
        {
            var opened = new List<OpenedBackend>();
            foreach (var device in Devices)
            {
                if (Open(device, threads, out var reason) is { } backend) backends.Add((device, backend));
                opened.Add(new(device, reason is null ? backends[^1].Backend.Device : null, reason));
                text?.Write(opened[^1]);
            }
            using var shapes = source.OpenShapes();
            var ids = SyntheticPrompt.Ids(Math.Min(TextTokens, shapes.Config.MaxPositions), shapes.Config.VocabularySize);
            text?.Begin(source.Name, ids.Length, settings, [.. backends.Select(backend => backend.Name)]);
            var comparisons = new List<BackendComparison>();
            foreach (var comparison in Compare(source, shapes.Config, ids, settings, backends, cancellation))
            {
                comparisons.Add(comparison);
                text?.Write(comparison);
            }
            var failed = comparisons.Count(comparison => comparison.Passes is false);
            text?.End(failed);
            if (isJson) context.Output.WriteLine(DoctorJson.Of(machine, opened, source.Name, ids.Length, comparisons));
            return failed == 0 ? ExitCode.Ok : ExitCode.TrialsFailed;
        }
        finally
        {
            foreach (var (_, backend) in backends) backend.Dispose();
        }
    }

    private static IEnumerable<BackendComparison> Compare(
        ModelSource source, ModelConfig config, int[] ids, IReadOnlyList<InferenceSetting> settings,
        IReadOnlyList<(string Name, Backend Backend)> backends, CancellationToken cancellation)
    {
        foreach (var setting in settings)
        {
            CheckedLogits? reference = null;
            foreach (var (name, backend) in backends)
            {
                cancellation.ThrowIfCancellationRequested();
                if (Misfit(setting, config, backend) is { } misfit)
                {
                    yield return new(setting.Name, name) { LeftOut = misfit };
                    continue;
                }
                var logits = CheckedLogits.Of(backend, source, setting, ids);
                reference ??= logits;
                yield return new(setting.Name, name)
                {
                    Error = logits.Error(reference.Value),
                    Allowed = CheckedLogits.Allowed(backend, setting),
                    TokensPerSecond = logits.TokensPerSecond,
                };
            }
        }
    }

    private static Backend? Open(string device, int? threads, out string? reason)
    {
        try
        {
            reason = null;
            return CommandContext.CreateBackend(threads, device);
        }
        catch (ConfigException error)
        {
            reason = error.Message;
            return null;
        }
    }

    private static string? Misfit(InferenceSetting setting, ModelConfig config, Backend backend)
    {
        try
        {
            setting.Weights.Validate(config);
            backend.Check(config.Geometry, setting.Cache);
            return null;
        }
        catch (ConfigException error)
        {
            return error.Message;
        }
    }
}
