using KvPareto.Text.Input;

namespace KvPareto.Cli.Hub;

/// <summary>Where the hub is and where its files are kept, by the environment variables of <c>huggingface_hub</c>.</summary>
/// <param name="Endpoint">The hub, ending in a slash. <c>HF_ENDPOINT</c>.</param>
/// <param name="Cache">Folder of the cache. <c>HF_HUB_CACHE</c>, else <c>hub</c> in <c>HF_HOME</c>, else in
/// <c>~/.cache/huggingface</c>.</param>
/// <param name="Token">Sent to the hub alone; null for none. <c>HF_TOKEN</c>, else the file <c>token</c> in <c>HF_HOME</c>.</param>
/// <param name="IsOffline">No connection is to be made. <c>HF_HUB_OFFLINE</c>.</param>
internal sealed record HubSettings(Uri Endpoint, string Cache, string? Token, bool IsOffline)
{
    private const string Default = "https://huggingface.co";
    private const int LongestToken = 4096;

    /// <summary>What the environment says.</summary>
    /// <exception cref="ConfigException">A variable has no meaning.</exception>
    public static HubSettings FromEnvironment()
    {
        var home = Variable("HF_HOME") ?? Path.Combine(
            Variable("XDG_CACHE_HOME") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
            "huggingface");
        var address = Variable("HF_ENDPOINT") ?? Default;
        if (!Uri.TryCreate(address.TrimEnd('/') + "/", UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https"))
            throw new ConfigException($"HF_ENDPOINT '{OneLine.Of(address)}'; allowed: an address that begins with https:// or http://");
        var token = Variable("HF_TOKEN") ?? TokenOf(Path.Combine(home, "token"));
        if (token is not null && token.Any(character => character is <= ' ' or > '~'))
            throw new ConfigException("HF_TOKEN has characters that no token has; allowed: a token of the hub");
        return new(
            endpoint, Path.GetFullPath(Variable("HF_HUB_CACHE") ?? Path.Combine(home, "hub")), token,
            Variable("HF_HUB_OFFLINE") is { } offline && offline is "1" or "true" or "TRUE" or "yes" or "on");
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static string? TokenOf(string file)
    {
        if (!File.Exists(file) || new FileInfo(file).Length > LongestToken) return null;
        var token = File.ReadAllText(file).Trim();
        return token.Length > 0 ? token : null;
    }
}
