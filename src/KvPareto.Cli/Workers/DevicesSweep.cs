using System.Globalization;
using KvPareto.Cli.Parsing;
using KvPareto.Sweep;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Workers;

/// <summary>A sweep by one process a device: <c>sweep --devices</c>.</summary>
internal static class DevicesSweep
{
    private const int MostNameCharacters = 48;

    /// <summary>Runs what is missing of a sweep.</summary>
    /// <param name="request">What the command line asks for.</param>
    /// <param name="folder">Run folder.</param>
    /// <param name="limit">Most samples of each task; null for all.</param>
    /// <param name="devices">One for each worker.</param>
    /// <param name="observer">Told of every step.</param>
    /// <param name="cancellation">Ends all workers.</param>
    /// <exception cref="ConfigException">A mistake that no worker got past.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; all workers have ended.</exception>
    public static RunHistory Run(
        SweepRequest request, string folder, int? limit, IReadOnlyList<WorkerDevice> devices, IProgress<SweepEvent> observer,
        CancellationToken cancellation)
    {
        if (!request.Resume && request.Worker is null) SweepRunner.RequireNew(folder);
        var starts = devices.Select(device => Start(request, folder, limit, device)).ToList();
        var ends = WorkerPool.Run(starts, observer, cancellation).GetAwaiter().GetResult();
        cancellation.ThrowIfCancellationRequested();
        if (ends.All(end => !end.HasBegun))
            throw new ConfigException(string.Join("; ", ends.Select(end => end.Reason ?? $"{end.Label} did nothing").Distinct()));
        return RunHistory.Read(folder);
    }

    private static WorkerStart Start(SweepRequest request, string folder, int? limit, WorkerDevice device)
    {
        var (file, arguments) = ThisProgram.Command();
        List<string> all = [.. arguments, "sweep"];
        if (request.File is not null) all.Add(request.File);
        all.AddRange(["--out", folder, "--worker", NameOf(request, device), "--device", device.Name]);
        all.AddRange(["--limit", SampleLimit.Text(limit), "--json", "--quiet", "--no-report"]);
        foreach (var model in request.Models) all.AddRange(["--model", model]);
        if (request.RetryFailed) all.Add("--retry-failed");
        if (request.On(device).Memory is { } memory) all.AddRange(["--memory", memory]);
        if (request.BudgetHours is { } hours) all.AddRange(["--budget-hours", hours.ToString(CultureInfo.InvariantCulture)]);
        if (request.Threads is { } threads) all.AddRange(["--threads", $"{threads}"]);
        return new(device.Label, file, all);
    }

    // Machines that share a folder each have a device of this number.
    private static string NameOf(SweepRequest request, WorkerDevice device)
    {
        var name = string.Concat((request.Worker ?? Environment.MachineName).Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));
        var own = string.Concat(device.Label.Where(c => char.IsAsciiLetterOrDigit(c) || c == '-'));
        return $"{name[..Math.Min(name.Length, MostNameCharacters)]}-{own}";
    }
}

/// <summary>A device that a worker has.</summary>
/// <param name="Label">Unique among a sweep's workers.</param>
/// <param name="Name">As <c>--device</c> has it.</param>
internal sealed record WorkerDevice(string Label, string Name)
{
    /// <summary>Bytes of the device's memory that a trial may take; null for all.</summary>
    public long? ShareBytes { get; init; }
}
