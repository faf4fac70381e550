using System.Globalization;
using System.Text.Json;
using KvPareto.Cpu;
using KvPareto.Sweep;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Runs;

// Goes on with copies of a run folder as kills left them, each of which must end as an undisturbed sweep did. Arguments: CONFIG WHOLE
// IMAGES, the last a folder of such copies. Exit code 1 where one was stuck or ended otherwise.
if (args.Length != 3)
{
    Console.Error.WriteLine("usage: images CONFIG WHOLE IMAGES");
    return 2;
}
var config = SweepConfig.Load(args[0]);
var right = WithoutTimes(RunHistory.Read(args[1]));
using var backend = new CpuBackend(1);
var (images, bad) = (0, 0);
foreach (var image in Directory.GetDirectories(args[2]).Order(StringComparer.Ordinal))
{
    images++;
    if (Problem(image) is not { } problem) continue;
    bad++;
    Console.WriteLine($"{Path.GetFileName(image)}: {problem}");
}
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{images,6}  images of killed sweeps: {bad} stuck or different"));
return bad == 0 ? 0 : 1;

string? Problem(string folder)
{
    try
    {
        var history = SweepRunner.Run(config, new() { Backend = backend, Folder = folder, Resume = true });
        if (WithoutTimes(history) != right) return "its results differ";
        if (history.Messages.Count > 0) return history.Messages[0];
        var left = Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
            .Where(file => file.EndsWith(".tmp", StringComparison.Ordinal) || Path.GetFileName(Path.GetDirectoryName(file)) == "leases");
        return left.FirstOrDefault() is { } leftover ? $"leaves {leftover}" : null;
    }
    catch (Exception e)
    {
        return $"cannot be gone on with: {e.GetType().Name}: {e.Message}";
    }
}

static string WithoutTimes(RunHistory history) =>
    JsonSerializer.Serialize(history.Results.Select(result => result with
    { TtftMs = null, TpotMs = null, TtftSpread = null, TpotSpread = null }));
