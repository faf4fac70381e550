using System.CommandLine;
using System.Globalization;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
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
        var command = new Verb(
            "doctor",
            "Says what of this machine can be used, and compares the logits of every backend that runs here with the processor's.",
            "kvpareto doctor                                  this machine, with a small model\nkvpareto doctor my-model --setting "
                + "w16a16-k4v4-t64  one's own model")
        {
            model, settings, threads,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var names = parsed.GetValue(settings) is { Length: > 0 } given ? given : Settings;
            return Task.FromResult(
                Run(context, ModelSource.Open(parsed.GetValue(model)!), [.. names.Select(InferenceSetting.Parse)], parsed.GetValue(threads),
                    cancellation));
        });
        return command;
    }

    private static int Run(
        CommandContext context, ModelSource source, IReadOnlyList<InferenceSetting> settings, int? threads, CancellationToken cancellation)
    {
        foreach (var (name, found) in Machine.Describe()) context.Output.WriteLine($"{name,-16} {found}");
        var backends = new List<(string Name, Backend Backend)>();
        try
        {
            foreach (var device in Devices)
            {
                if (Open(device, threads, out var reason) is { } backend) backends.Add((device, backend));
                context.Output.WriteLine($"{device,-16} {(reason is null ? backends[^1].Backend.Device : $"does not run here: {reason}")}");
            }
            context.Output.WriteLine();
            return Compare(context, source, settings, backends, cancellation);
        }
        finally
        {
            foreach (var (_, backend) in backends) backend.Dispose();
        }
    }

    private static int Compare(
        CommandContext context, ModelSource source, IReadOnlyList<InferenceSetting> settings, List<(string Name, Backend Backend)> backends,
            CancellationToken cancellation)
    {
        using var shapes = source.OpenShapes();
        var ids = SyntheticPrompt.Ids(Math.Min(TextTokens, shapes.Config.MaxPositions), shapes.Config.VocabularySize);
        var widths = (Setting: settings.Max(setting => setting.Name.Length), Backend: backends.Max(backend => backend.Name.Length));
        context.Output.WriteLine($"{source.Name}, {ids.Length} tokens; error: of the logits, relative to {backends[0].Name}'s");
        Line("setting", "backend", "error", "allowed", "tokens/s", "result");
        var failed = 0;
        foreach (var setting in settings)
        {
            CheckedLogits? reference = null;
            foreach (var (name, backend) in backends)
            {
                cancellation.ThrowIfCancellationRequested();
                if (Misfit(setting, shapes.Config, backend) is { } misfit)
                {
                    Line(setting.Name, name, "", "", "", $"left out: {misfit}");
                    continue;
                }
                var logits = CheckedLogits.Of(backend, source, setting, ids);
                reference ??= logits;
                var (error, allowed) = (logits.Error(reference.Value), CheckedLogits.Allowed(backend, setting));
                var passes = double.IsFinite(error) && error <= allowed;
                if (!passes) failed++;
                Line(setting.Name, name, Short(error), Short(allowed), logits.TokensPerSecond.ToString("F0", CultureInfo.InvariantCulture),
                    passes ? "pass" : "FAIL");
            }
        }
        context.Output.WriteLine(
            failed > 0 ? $"{failed} comparisons failed" : backends.Count == 1 ? "one backend runs here: there is nothing to compare it with"
                : $"{backends.Count} backends agree");
        return failed == 0 ? ExitCode.Ok : ExitCode.TrialsFailed;

        void Line(string setting, string backend, string error, string allowed, string rate, string result) => context.Output.WriteLine(
            $"{setting.PadRight(widths.Setting)}  {backend.PadRight(widths.Backend)}  {error,8}  {allowed,7}  {rate,8}  {result}");
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

    private static string? Misfit(InferenceSetting setting, Engine.Model.ModelConfig config, Backend backend)
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

    private static string Short(double value) => value.ToString("g2", CultureInfo.InvariantCulture);
}
