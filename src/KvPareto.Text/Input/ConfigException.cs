namespace KvPareto.Text.Input;

/// <summary>
/// A user's mistake: a file, key or value that cannot be used. The message is one line that names the file, the key and what
/// is allowed; the command line prints it and exits with 2.
/// </summary>
public sealed class ConfigException : Exception
{
    /// <summary>A mistake without a cause of its own.</summary>
    public ConfigException(string message) : base(message) { }

    /// <summary>A mistake found through another failure.</summary>
    public ConfigException(string message, Exception inner) : base(message, inner) { }
}
