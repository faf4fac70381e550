using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace KvPareto.Cli.Tests.Hub;

/// <summary>A hub on this machine with one repository, that can cut, lie and redirect.</summary>
internal sealed class HubServer : IDisposable
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<string> _requests = [];

    public HubServer()
    {
        _listener.Start();
        _ = Task.Run(Serve);
    }

    public Dictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>Bytes after which each of the first answers of a content ends.</summary>
    public Queue<int> Cuts { get; } = new();

    /// <summary>How many of the next requests get no answer.</summary>
    public int Silences { get; set; }

    /// <summary>A server that contents are at; null for this one.</summary>
    public HubServer? Elsewhere { get; set; }

    /// <summary>What is added to the length that is told.</summary>
    public int LengthLie { get; set; }

    /// <summary>The etags are of other contents.</summary>
    public bool HashLie { get; set; }

    /// <summary>Ranges are passed over.</summary>
    public bool IgnoresRanges { get; set; }

    /// <summary>Status of every answer; 0 for what it should be.</summary>
    public int Status { get; set; }

    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>First lines and headers that matter, in order.</summary>
    public IReadOnlyList<string> Requests
    {
        get { lock (_requests) return [.. _requests]; }
    }

    public void Dispose() => _listener.Dispose();

    private async Task Serve()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                _ = Task.Run(() => Answer(client));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return;
        }
    }

    private async Task Answer(TcpClient client)
    {
        using (client)
        {
            var stream = client.GetStream();
            using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
            var first = await reader.ReadLineAsync() ?? "";
            var (range, token) = (0L, "");
            while (await reader.ReadLineAsync() is { Length: > 0 } line)
            {
                if (line.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase)) range = long.Parse(line[13..].TrimEnd('-'));
                if (line.StartsWith("Authorization: ", StringComparison.OrdinalIgnoreCase)) token = line[15..];
            }
            string[] words = first.Split(' ');
            lock (_requests)
                _requests.Add($"{words[0]} {words[1]}{(range > 0 ? $" from {range}" : "")}{(token.Length > 0 ? $" {token}" : "")}");
            if (Silences-- > 0) await reader.ReadLineAsync(); // until the other side gives up
            else await Reply(stream, words[0], Uri.UnescapeDataString(words[1]), range);
        }
    }

    private async Task Reply(Stream stream, string method, string path, long range)
    {
        if (Status > 0)
        {
            await Write(stream, $"HTTP/1.1 {Status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return;
        }
        if (path.StartsWith("/api/", StringComparison.Ordinal))
        {
            var names = string.Join(',', Files.Keys.Select(name => $$"""{"rfilename": "{{name}}"}"""));
            var body = Encoding.UTF8.GetBytes($$"""{"sha": "{{Commit}}", "siblings": [{{names}}]}""");
            await Write(stream, $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n");
            await stream.WriteAsync(body);
            return;
        }
        var name = path[(path.IndexOf(Commit, StringComparison.Ordinal) + Commit.Length + 1)..];
        if (!Files.TryGetValue(name, out var content))
        {
            await Write(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return;
        }
        var large = name.EndsWith(".safetensors", StringComparison.Ordinal);
        var hashed = HashLie ? [1, 2, 3] : content;
        var etag = large ? Convert.ToHexStringLower(SHA256.HashData(hashed)) : GitHash(hashed);
        var described = $"X-Repo-Commit: {Commit}\r\n"
            + (large ? $"X-Linked-Etag: \"{etag}\"\r\nX-Linked-Size: {content.Length + LengthLie}\r\n"
            : $"ETag: \"{etag}\"\r\n");
        if (Elsewhere is { } other)
        {
            await Write(stream,
                $"HTTP/1.1 302 Found\r\n{described}Location: {other.Address}{path}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return;
        }
        var from = IgnoresRanges ? 0 : range;
        var rest = content.AsMemory((int)Math.Min(from, content.Length));
        var status = from > 0 ? $"206 Partial Content\r\nContent-Range: bytes {from}-{content.Length - 1}/{content.Length}" : "200 OK";
        await Write(stream, $"HTTP/1.1 {status}\r\n{described}Content-Length: {rest.Length}\r\nConnection: close\r\n\r\n");
        if (method == "HEAD") return;
        var cut = Cuts.Count > 0 ? Math.Min(Cuts.Dequeue(), rest.Length) : rest.Length;
        await stream.WriteAsync(rest[..cut]);
        await stream.FlushAsync();
    }

    /// <summary>Git's name of a content.</summary>
    public static string GitHash(byte[] content)
    {
        byte[] blob = [.. Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content];
#pragma warning disable CA5350 // Git's names of contents are SHA-1.
        return Convert.ToHexStringLower(SHA1.HashData(blob));
#pragma warning restore CA5350
    }

    private static async Task Write(Stream stream, string text) => await stream.WriteAsync(Encoding.ASCII.GetBytes(text));
}
