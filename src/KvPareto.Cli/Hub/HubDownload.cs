using System.Globalization;
using System.IO.Enumeration;
using System.Net;
using System.Security.Cryptography;
using KvPareto.Engine;
using KvPareto.Sweep.Results;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Hub;

/// <summary>
/// Brings a repository's files into the hub's own cache: <c>blobs/ETAG</c>, <c>snapshots/COMMIT/NAME</c> as links to them,
/// <c>refs/REVISION</c> with the commit. What was cut off goes on where it stopped; nothing gets its name before it is whole and its
/// hash fits.
/// </summary>
internal sealed class HubDownload(HubSettings settings, HubClient client, Action<string> report)
{
    private const int Attempts = 6;
    private const int BufferBytes = 1 << 20;

    /// <summary>What a model or data set is read from; other forms of the same weights are left.</summary>
    public static IReadOnlyList<string> DefaultPatterns { get; } =
        ["*.json", "*.jsonl", "*.safetensors", "*.jinja", "*.txt", "*.csv", "*.parquet", "tokenizer*"];

    /// <summary>Waits between attempts; tests shorten it.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Brings what is not there yet.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="revision">Branch, tag or commit.</param>
    /// <param name="patterns">Names with <c>*</c> and <c>?</c>; a file is wanted where one fits its path or its last part.</param>
    /// <param name="cancellation">Stops; the next call goes on.</param>
    /// <returns>The repository's folder in the cache.</returns>
    /// <exception cref="ConfigException">There is nothing of these names, or what came is not what the hub promised.</exception>
    /// <exception cref="IOException">The hub could not be reached again and again.</exception>
    public async Task<string> Run(
        HubRepository repository, string revision, IReadOnlyList<string> patterns, CancellationToken cancellation)
    {
        var folder = Path.Combine(settings.Cache, repository.FolderName);
        if (settings.IsOffline)
            return Cached(folder, revision, patterns) ?? throw new ConfigException(
                $"{repository.Id}: not in {settings.Cache} as {revision} with such files, and HF_HUB_OFFLINE is set"
                    + "; allowed: what is in the cache, or no such variable");
        var (commit, all) = await Again(() => client.Files(repository, revision, cancellation), cancellation);
        string[] wanted = [.. all.Where(name => patterns.Any(pattern => Fits(pattern, name))).Order(StringComparer.Ordinal)];
        if (wanted.Length == 0)
            throw new ConfigException($"{repository.Id}: none of {CountText.Of(all.Count, "file")} fits {string.Join(", ", patterns)}"
                + $"; allowed: --include with a pattern of {string.Join(", ", all.Take(8))}{(all.Count > 8 ? ", …" : "")}");
        foreach (var name in wanted)
        {
            var file = await Again(() => client.Describe(repository, commit, name, cancellation), cancellation);
            var blob = Path.Combine(folder, "blobs", file.Etag);
            if (!File.Exists(blob))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(blob)!);
                await Bring(file, blob, cancellation);
            }
            Link(Path.Combine(folder, "snapshots", commit, name), blob);
        }
        var reference = Path.Combine(folder, "refs", revision);
        if (HubFile.IsName(revision) && revision != commit)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(reference)!);
            File.WriteAllText(reference + ".tmp", commit);
            File.Move(reference + ".tmp", reference, overwrite: true);
        }
        return FolderOf(folder, revision, commit);
    }

    private static string FolderOf(string folder, string revision, string commit) =>
        revision == "main" ? folder : Path.Combine(folder, "snapshots", commit);

    // A reference is written last, so what it names was whole.
    private static string? Cached(string folder, string revision, IReadOnlyList<string> patterns)
    {
        if (!HubFile.IsName(revision)) return null;
        var reference = Path.Combine(folder, "refs", revision);
        var commit = File.Exists(reference) ? File.ReadAllText(reference).Trim() : revision;
        var snapshot = Path.Combine(folder, "snapshots", commit);
        if (!HubFile.IsName(commit) || !Directory.Exists(snapshot)) return null;
        string[] names =
        [
            .. Directory.EnumerateFiles(snapshot, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(snapshot, file).Replace(Path.DirectorySeparatorChar, '/')),
        ];
        bool IsThere(string pattern) => names.Any(name => Fits(pattern, name));
        return (ReferenceEquals(patterns, DefaultPatterns) ? patterns.Any(IsThere) : patterns.All(IsThere))
            ? FolderOf(folder, revision, commit) : null;
    }

    private static bool Fits(string pattern, string name) => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false)
        || FileSystemName.MatchesSimpleExpression(pattern, name.AsSpan(name.LastIndexOf('/') + 1), ignoreCase: false);

    private async Task Bring(HubFile file, string blob, CancellationToken cancellation)
    {
        var part = blob + ".incomplete";
        await Again(async () =>
        {
            await using (var target = new FileStream(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, BufferBytes))
            {
                if (file.Size is { } size && target.Length > size) target.SetLength(0);
                if (file.Size is null || target.Length < file.Size) await Append(file, target, cancellation);
                if (file.Size is { } whole && target.Length != whole)
                    throw new IOException($"{file.Name}: ended at {target.Length} of {whole} bytes");
                await target.FlushAsync(cancellation);
                target.Flush(flushToDisk: true);
            }
            return true;
        }, cancellation);
        var (expected, found) = await Hashes(file.Etag, part, cancellation);
        if (expected != found)
        {
            File.Delete(part);
            throw new ConfigException($"{file.Name}: its hash is {found}, the hub says {expected}; what came was thrown away");
        }
        File.Move(part, blob, overwrite: true);
        report(string.Create(CultureInfo.InvariantCulture, $"{file.Name}  {ByteText.Of(new FileInfo(blob).Length)}"));
    }

    private async Task Append(HubFile file, FileStream target, CancellationToken cancellation)
    {
        using var response = await client.Open(file, target.Length, cancellation);
        var goesOn = response.StatusCode == HttpStatusCode.PartialContent
            && response.Content.Headers.ContentRange?.From == target.Length;
        if (!goesOn) target.SetLength(0);
        if (!goesOn && response.StatusCode != HttpStatusCode.OK)
            throw new IOException($"{file.Name}: HTTP {(int)response.StatusCode} in place of its content");
        target.Seek(0, SeekOrigin.End);
        await using var source = await response.Content.ReadAsStreamAsync(cancellation);
        var buffer = new byte[BufferBytes];
        while (true)
        {
            int read;
            try
            {
                read = await client.Wait(file.Name, token => source.ReadAsync(buffer, token), cancellation);
            }
            catch (Exception error) when (error is HttpRequestException or HttpIOException)
            {
                throw new IOException($"{file.Name}: {OneLine.OfMessage(error.Message)}", error);
            }
            if (read == 0) return;
            if (file.Size is { } size && target.Length + read > size)
            {
                target.SetLength(0);
                throw new IOException($"{file.Name}: more than the {size} bytes that the hub says");
            }
            await target.WriteAsync(buffer.AsMemory(0, read), cancellation);
            await target.FlushAsync(cancellation);
        }
    }

    // SHA-256 for what stands in large-file storage, git's SHA-1 else; a mirror's own names say nothing.
    private static async Task<(string Expected, string Found)> Hashes(string etag, string path, CancellationToken cancellation)
    {
        if (!etag.All(char.IsAsciiHexDigitLower) || etag.Length is not (64 or 40)) return ("", "");
        using var hash = IncrementalHash.CreateHash(etag.Length == 64 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1);
        await using var file = File.OpenRead(path);
        if (etag.Length == 40) hash.AppendData(System.Text.Encoding.ASCII.GetBytes($"blob {file.Length}\0"));
        var buffer = new byte[BufferBytes];
        for (int read; (read = await file.ReadAsync(buffer, cancellation)) > 0;) hash.AppendData(buffer, 0, read);
        return (etag, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static void Link(string path, string blob)
    {
        var folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        var draft = $"{path}.{Environment.ProcessId}.tmp";
        File.Delete(draft);
        try
        {
            File.CreateSymbolicLink(draft, Path.GetRelativePath(folder, blob));
        }
        catch (IOException)
        {
            // A file system without links holds the content twice.
            File.Copy(blob, draft);
        }
        File.Move(draft, path, overwrite: true);
    }

    private async Task<T> Again<T>(Func<Task<T>> attempt, CancellationToken cancellation)
    {
        for (var number = 1; ; number++)
        {
            try
            {
                return await attempt();
            }
            catch (IOException error) when (number < Attempts)
            {
                report($"{OneLine.OfMessage(error.Message)}; once more ({number} of {Attempts - 1})");
                await Task.Delay(Pause * number, cancellation);
            }
        }
    }
}
