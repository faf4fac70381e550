using KvPareto.Cli.Terminal;

namespace KvPareto.Cli.Doctor;

/// <summary>What <c>kvpareto doctor --json</c> prints.</summary>
internal static class DoctorJson
{
    /// <summary>One line.</summary>
    public static string Of(
        IEnumerable<(string Name, string Found)> machine, IEnumerable<OpenedBackend> backends, string model, int tokens,
        IReadOnlyCollection<BackendComparison> comparisons) => JsonText.Of(new
        {
            machine = machine.ToDictionary(line => line.Name, line => line.Found),
            backends = backends.Select(backend => new { name = backend.Name, device = backend.Device, reason = backend.Reason }),
            model,
            tokens,
            comparisons = comparisons.Select(one => new
            {
                setting = one.Setting,
                backend = one.Backend,
                error = Finite(one.Error),
                allowed = one.Allowed,
                tokensPerSecond = Finite(one.TokensPerSecond),
                passes = one.Passes,
                leftOut = one.LeftOut,
            }),
            failed = comparisons.Count(one => one.Passes is false),
        });

    // JSON has no NaN: such an error fails, and is null.
    private static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;
}
