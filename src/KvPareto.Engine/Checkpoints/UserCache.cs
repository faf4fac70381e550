namespace KvPareto.Engine.Checkpoints;

/// <summary>The program's folder for what it can make again.</summary>
public static class UserCache
{
    /// <summary>Moves the folder: what is named is used instead of <c>kvpareto</c> in the user's cache folder.</summary>
    public const string Variable = "KVPARETO_CACHE";

    /// <summary>The folder; it need not be there.</summary>
    /// <param name="variable">Values of environment variables.</param>
    public static string Root(Func<string, string?> variable)
    {
        if (variable(Variable) is { Length: > 0 } named) return named;
        // The XDG base directory specification has relative paths ignored.
        if (variable("XDG_CACHE_HOME") is { Length: > 0 } caches && Path.IsPathRooted(caches)) return Path.Combine(caches, "kvpareto");
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return Path.Combine(home.Length > 0 ? home : Path.GetTempPath(), ".cache", "kvpareto");
    }
}
