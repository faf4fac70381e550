namespace KvPareto.Sweep.Journaling;

/// <summary>Where things stand in a run folder.</summary>
internal static class RunPaths
{
    private const string SamplesFolder = "samples";

    /// <summary>The folder of the sample logs.</summary>
    public static string Samples(string folder) => Path.Combine(folder, SamplesFolder);

    /// <summary>The sample log of a trial.</summary>
    public static string Samples(string folder, string trialId) => Path.Combine(folder, SamplesFolder, trialId + ".jsonl");

    /// <summary>The folder of the leases.</summary>
    public static string Leases(string folder) => Path.Combine(folder, "leases");
}
