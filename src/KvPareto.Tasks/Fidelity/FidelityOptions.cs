using KvPareto.Text.Input;

namespace KvPareto.Tasks.Fidelity;

/// <summary>Which text fidelity is measured on.</summary>
public sealed record FidelityOptions : TaskOptions
{
    /// <summary>Keys as a config may have them.</summary>
    internal const string Example = "text: FILE, …";

    /// <summary>Tokens measured where nothing else is said.</summary>
    public const int DefaultTokens = 32768;

    /// <summary>Tokens of a window where nothing else is said.</summary>
    public const int DefaultWindow = 4096;

    /// <summary>Most tokens of a text: their states are held in memory.</summary>
    public const int MostTokens = 1 << 22;

    /// <summary>Text file, UTF-8.</summary>
    public required string File { get; init; }

    /// <summary>
    /// First tokens of the text that are measured, a multiple of <see cref="Window"/>; null for <see cref="DefaultTokens"/>, or as many
    /// whole windows as a shorter text has.
    /// </summary>
    public int? Tokens { get; init; }

    /// <summary>Tokens that are read one after the other from an empty cache, at least 2.</summary>
    public int Window { get; init; } = DefaultWindow;

    /// <summary>Reads a task of a config.</summary>
    internal static FidelityOptions Read(TaskSection section)
    {
        section.Allow("text", "tokens", "window");
        return new()
        {
            File = section.File("text", "a text file"),
            Tokens = section.Find("tokens")?.Integer(2, MostTokens),
            Window = section.Find("window")?.Integer(2, MostTokens) ?? DefaultWindow,
        };
    }

    /// <inheritdoc/>
    public override EvaluationTask Create() => new FidelityTask(this);

    /// <inheritdoc/>
    public override void Validate()
    {
        if (Window is < 2 or > MostTokens) throw new ConfigException($"fidelity: window {Window}; allowed: 2 to {MostTokens} tokens");
        if (Tokens is { } tokens && (tokens is < 2 or > MostTokens || tokens % Window != 0))
            throw new ConfigException($"fidelity: tokens {tokens}; allowed: a multiple of the window of {Window}, up to {MostTokens}");
    }
}
