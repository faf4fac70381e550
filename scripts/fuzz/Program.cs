using System.Diagnostics;
using System.Globalization;
using Fuzz;
using KvPareto.Text.Input;

// dotnet run -c Release --project scripts/fuzz -- SEED COUNT [KIND …]
// Gives the engine COUNT inputs of each kind. A child process runs them one by one, so that not even a crash of it ends the whole; what
// takes more than 10 s of processor time, more than 1 GiB, or fails otherwise than by a ConfigException is reported with its number, by
// which
// "one SEED KIND NUMBER" makes it again.
const int MostSeconds = 10;
const long MostBytes = 1L << 30;

if (args is ["child", var childSeed, var childKind, var first, var last])
    return Child(Number(childSeed), Find(childKind), Number(first), Number(last));
if (args is ["one", var oneSeed, var oneKind, var number]) return Child(Number(oneSeed), Find(oneKind), Number(number), Number(number) + 1);
var (seed, count) = (Number(args[0]), Number(args[1]));
var problems = 0;
foreach (var kind in args.Length > 2 ? args[2..].Select(Find) : HostileKind.All) problems += Parent(seed, kind, count);
return problems == 0 ? 0 : 1;

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

static HostileKind Find(string name) => HostileKind.All.Single(kind => kind.Name == name);

static int Parent(int seed, HostileKind kind, int count)
{
    var (at, problems, accepted, slowest, largest) = (0, 0, 0, 0L, 0L);
    while (at < count)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        string[] arguments =
            [.. Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet" ? [Environment.GetCommandLineArgs()[0]]
            : Array.Empty<string>(), "child", $"{seed}", kind.Name, $"{at}", $"{count}"];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var child = Process.Start(start)!;
        var current = at;
        while (child.StandardOutput.ReadLine() is { } line)
        {
            var fields = line.Split(' ', 4);
            current = Number(fields[1]);
            switch (fields[0])
            {
                case "ended":
                    accepted += fields[2] == "accepted" ? 1 : 0;
                    slowest = Math.Max(slowest, long.Parse(fields[3], CultureInfo.InvariantCulture));
                    at = current + 1;
                    break;
                case "size":
                    largest = Math.Max(largest, long.Parse(fields[2], CultureInfo.InvariantCulture));
                    break;
                case "problem":
                    problems++;
                    Console.WriteLine($"{kind.Name} {line}");
                    break;
            }
        }
        child.WaitForExit();
        if (at >= count) break;
        problems++;
        Console.WriteLine($"{kind.Name} problem {current}: the process ended with {child.ExitCode}");
        at = current + 1;
    }
    Console.WriteLine(
        $"{kind.Name}: {count} inputs, {accepted} accepted, {count - accepted} refused, {problems} problems; slowest {slowest} ms, "
            + $"largest process {largest >> 20} MiB");
    return problems;
}

static int Child(int seed, HostileKind kind, int first, int last)
{
    var folder = Directory.CreateTempSubdirectory("fuzz-").FullName;
    for (var number = first; number < last; number++)
    {
        Console.WriteLine($"began {number}");
        foreach (var file in Directory.GetFiles(folder)) File.Delete(file);
        var (start, outcome) = (Environment.CpuUsage.TotalTime, "accepted");
        var input = number;
        var worker = new Thread(() =>
        {
            try
            {
                kind.Run(new Random(unchecked(seed * 1_000_003 + input)), folder);
            }
            catch (ConfigException problem) when (!problem.Message.Contains('\n'))
            {
                outcome = "refused";
                if (last == first + 1) Console.WriteLine($"refusal {input} {problem.Message}");
            }
            catch (Exception problem)
            {
                outcome = "failed";
                Console.WriteLine(
                    $"problem {input} {problem.GetType().Name}: "
                        + $"{problem.Message.ReplaceLineEndings(" ")}{problem.StackTrace?.Split('\n')[0]}");
            }
        });
        worker.Start();
        if (!worker.Join(TimeSpan.FromSeconds(MostSeconds * 30)))
        {
            Console.WriteLine($"problem {number} does not end within {MostSeconds * 30} s");
            return 3;
        }
        var milliseconds = (long)(Environment.CpuUsage.TotalTime - start).TotalMilliseconds;
        if (milliseconds > 1000 * MostSeconds) Console.WriteLine($"problem {number} took {milliseconds} ms");
        if (Environment.WorkingSet is var size && size > MostBytes) Console.WriteLine($"problem {number} process has {size >> 20} MiB");
        if (number % 64 == 0) Console.WriteLine($"size {number} {Process.GetCurrentProcess().PeakWorkingSet64}");
        Console.WriteLine($"ended {number} {outcome} {milliseconds}");
    }
    Directory.Delete(folder, recursive: true);
    return 0;
}
