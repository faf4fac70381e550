namespace KvPareto.Cli.Doctor;

/// <summary>A backend that was asked for.</summary>
/// <param name="Name">What <c>--device</c> takes.</param>
/// <param name="Device">What it runs on; null where it does not run here.</param>
/// <param name="Reason">Why it does not; null where it does.</param>
internal sealed record OpenedBackend(string Name, string? Device, string? Reason);

/// <summary>The logits of a text under a setting on one backend, compared with the first one's.</summary>
/// <param name="Setting">Short name.</param>
/// <param name="Backend">What <c>--device</c> takes.</param>
internal sealed record BackendComparison(string Setting, string Backend)
{
    /// <summary>Norm of the difference over the norm of the first backend's logits; null where it was left out.</summary>
    public double? Error { get; init; }

    /// <summary>The largest error that roundings explain.</summary>
    public double? Allowed { get; init; }

    /// <summary>Of the forward pass.</summary>
    public double? TokensPerSecond { get; init; }

    /// <summary>Why the setting was left out; null where it was not.</summary>
    public string? LeftOut { get; init; }

    /// <summary>Whether the error is allowed; null where the setting was left out.</summary>
    public bool? Passes => Error is { } error ? double.IsFinite(error) && error <= Allowed : null;
}
