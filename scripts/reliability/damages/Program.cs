using System.Globalization;
using System.Text.Json;
using KvPareto.Sweep.Reports;
using KvPareto.Damages;
using KvPareto.Sweep.Runs;
using KvPareto.Text.Input;

// Damages a finished run folder in many ways and reads each as `kvpareto report` does: refused with one line, or right, or said to be
// incomplete. Arguments: FOLDER ROUNDS SEED [repair]. Exit code 1 where anything else happened.
if (args.Length is < 3 or > 4)
{
    Console.Error.WriteLine("usage: damages FOLDER ROUNDS SEED [repair]");
    return 2;
}
const double SlowSeconds = 10;
const int DrawEach = 20;
var (rounds, seed) = (int.Parse(args[1], CultureInfo.InvariantCulture), int.Parse(args[2], CultureInfo.InvariantCulture));
var repairs = args.Length == 4;
using var folder = new DamagedFolder(args[0], seed);
var whole = RunHistory.Read(folder.Path);
var right = whole.Results.ToDictionary(result => result.TrialId, result => JsonSerializer.Serialize(result));
var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
var (bad, drawn) = (0, 0);
for (var round = 0; round < rounds; round++)
{
    var damage = folder.Damage();
    var start = Environment.CpuUsage.TotalTime;
    var outcome = Outcome();
    if (repairs && outcome == "refused") outcome = AfterRepair();
    if ((Environment.CpuUsage.TotalTime - start).TotalSeconds > SlowSeconds) outcome = "HANG";
    var key = $"{damage.Kind}: {outcome}";
    counts[key] = counts.GetValueOrDefault(key) + 1;
    if (outcome is not ("refused" or "right" or "incomplete, said so" or "repaired" or "repaired, the missing said"))
    {
        bad++;
        Console.Error.WriteLine($"round {round}: {damage}: {outcome}");
    }
    folder.Restore();
}
foreach (var (key, count) in counts) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count,6}  {key}"));
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rounds,6}  damages, seed {seed}: {bad} wrong figures, crashes or hangs"));
return bad == 0 ? 0 : 1;

string Outcome()
{
    try
    {
        var read = RunHistory.Read(folder.Path);
        if (read.Results.Any(result => right.GetValueOrDefault(result.TrialId) != JsonSerializer.Serialize(result))) return "WRONG FIGURES";
        if ((read.Name, read.Seed, read.Baseline, read.Planned) != (whole.Name, whole.Seed, whole.Baseline, whole.Planned))
            return "WRONG LABELS";
        if (drawn++ % DrawEach == 0) ReportWriter.Write(folder.Path, read.Results, new() { Baseline = read.Baseline, Seed = read.Seed });
        if (read.Results.Count == read.Planned) return "right";
        return read.Results.Count + read.Missing.Count == read.Planned ? "incomplete, said so" : "MISSING WITHOUT A WORD";
    }
    catch (ConfigException e)
    {
        return e.Message.Contains('\n') ? "MESSAGE OF SEVERAL LINES" : "refused";
    }
    catch (Exception e)
    {
        return $"CRASH {e.GetType().Name}: {e.Message}";
    }
}

string AfterRepair()
{
    try
    {
        if (RunRepair.Mend(folder.Path).Count == 0) return "REPAIRED NOTHING";
    }
    catch (ConfigException e)
    {
        return $"NOT REPAIRABLE: {e.Message}";
    }
    return Outcome() switch
    {
        "right" => "repaired",
        "incomplete, said so" => "repaired, the missing said",
        var other => $"AFTER REPAIR {other}",
    };
}
