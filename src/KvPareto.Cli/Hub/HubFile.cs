using System.Text.RegularExpressions;

namespace KvPareto.Cli.Hub;

/// <summary>A file of a repository as the hub describes it before it is read.</summary>
/// <param name="Name">Path in the repository.</param>
/// <param name="Etag">Name of its content: SHA-256 of large files, git's SHA-1 of small ones, both in hex; another where a mirror has
/// other names.</param>
/// <param name="Size">Bytes; null where the hub does not say.</param>
/// <param name="Address">Where its content is.</param>
internal sealed partial record HubFile(string Name, string Etag, long? Size, Uri Address)
{
    /// <summary>A name that can be one of a file in a folder of ours.</summary>
    public static bool IsName(string name) => name.Length is > 0 and <= 400
        && NamePattern().IsMatch(name)
        && name.Split('/').All(part => part.Length is > 0 and <= 200 && part is not ("." or ".."));

    /// <summary>An etag that can be one of a file in a folder of ours.</summary>
    public static bool IsEtag(string etag) => EtagPattern().IsMatch(etag);

    [GeneratedRegex(@"\A[^\\\p{C}]+\z")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}\z")]
    private static partial Regex EtagPattern();
}
