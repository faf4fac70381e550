using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Hub;

/// <summary>Asks a hub. The token goes to the hub's own host alone, not to where it redirects.</summary>
internal sealed class HubClient : IDisposable
{
    private const int MostRedirects = 8;
    private const int LargestAnswer = 64 << 20;
    private const string Commit = "X-Repo-Commit";
    private const string LinkedEtag = "X-Linked-Etag";
    private const string LinkedSize = "X-Linked-Size";

    private readonly HubSettings _settings;
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
    })
    { Timeout = Timeout.InfiniteTimeSpan };

    public HubClient(HubSettings settings)
    {
        _settings = settings;
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("kvpareto", null));
    }

    /// <summary>How long nothing may come; tests shorten it.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The commit that a revision is, and the names of its files.</summary>
    /// <exception cref="ConfigException">There is no such repository or revision, or the answer is none.</exception>
    public async Task<(string Commit, IReadOnlyList<string> Files)> Files(
        HubRepository repository, string revision, CancellationToken cancellation)
    {
        var address = new Uri(_settings.Endpoint, $"{repository.ApiPath}/revision/{Uri.EscapeDataString(revision)}");
        using var response = await Send(HttpMethod.Get, address, null, follow: true, cancellation);
        Require(response, address);
        try
        {
            using var body = new MemoryStream();
            await Copy(address, await response.Content.ReadAsStreamAsync(cancellation), body, cancellation);
            using var document = JsonDocument.Parse(body.ToArray());
            var commit = document.RootElement.GetProperty("sha").GetString() ?? "";
            if (commit.Length != 40 || !commit.All(char.IsAsciiHexDigit)) throw new JsonException("'sha' is no commit");
            string[] names =
            [
                .. document.RootElement.GetProperty("siblings").EnumerateArray()
                    .Select(file => file.GetProperty("rfilename").GetString() ?? ""),
            ];
            return names.FirstOrDefault(name => !HubFile.IsName(name)) is { } strange
                ? throw new JsonException($"'{OneLine.Of(strange)}' is no file's name")
                : (commit, names);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new ConfigException(
                $"{address}: is no description of a repository ({OneLine.OfMessage(error)}); allowed: a hub's answer", error);
        }
    }

    /// <summary>What the hub says of a file.</summary>
    /// <exception cref="ConfigException">It is not there, or the answer has no name for its content.</exception>
    public async Task<HubFile> Describe(HubRepository repository, string commit, string name, CancellationToken cancellation)
    {
        var path = string.Join('/', name.Split('/').Select(Uri.EscapeDataString));
        var address = new Uri(_settings.Endpoint, $"{repository.FilePath}/resolve/{commit}/{path}");
        using var response = await Send(HttpMethod.Head, address, null, follow: false, cancellation);
        if (!IsRedirect(response)) Require(response, address);
        var etag = (Header(response, LinkedEtag) ?? response.Headers.ETag?.Tag ?? Header(response, "ETag") ?? "").Trim('"');
        if (etag.StartsWith("W/\"", StringComparison.Ordinal)) etag = etag[3..].Trim('"');
        if (!HubFile.IsEtag(etag)) throw new ConfigException($"{address}: has no ETag; allowed: an answer of a hub");
        if (Header(response, Commit) is { } other && other != commit)
            throw new ConfigException($"{address}: is of commit {OneLine.Of(other)}; allowed: {commit}");
        long? size = long.TryParse(Header(response, LinkedSize), out var linked) ? linked
            : IsRedirect(response) ? null : response.Content.Headers.ContentLength;
        return new(name, etag, size, address);
    }

    /// <summary>The content of a file from a byte on; the answer says whether it begins there or anew.</summary>
    /// <exception cref="ConfigException">It is not there.</exception>
    public async Task<HttpResponseMessage> Open(HubFile file, long from, CancellationToken cancellation)
    {
        var response = await Send(HttpMethod.Get, file.Address, from, follow: true, cancellation);
        if (response.StatusCode != HttpStatusCode.RequestedRangeNotSatisfiable) Require(response, file.Address);
        return response;
    }

    /// <summary>Waits for a part of an answer, as long as there is patience.</summary>
    /// <exception cref="IOException">Nothing came.</exception>
    public async Task<T> Wait<T>(string name, Func<CancellationToken, ValueTask<T>> part, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            return await part(patience.Token);
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"{name}: nothing came for {Patience.TotalSeconds} s", error);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> Send(
        HttpMethod method, Uri address, long? from, bool follow, CancellationToken cancellation)
    {
        for (var redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(method, address);
            if (_settings.Token is { } token && address.Host == _settings.Endpoint.Host && address.Port == _settings.Endpoint.Port)
                request.Headers.Authorization = new("Bearer", token);
            if (from is > 0 and var start) request.Headers.Range = new(start, null);
            request.Headers.AcceptEncoding.Add(new("identity"));
            HttpResponseMessage response;
            try
            {
                response = await Wait(
                    address.GetLeftPart(UriPartial.Path),
                    stop => new ValueTask<HttpResponseMessage>(
                        _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop)), cancellation);
            }
            catch (HttpRequestException error)
            {
                throw new IOException($"{address.GetLeftPart(UriPartial.Path)}: {OneLine.OfMessage(error)}", error);
            }
            if (!IsRedirect(response)) return response;
            // One within the hub is another name of the repository, whose answer counts.
            var next = response.Headers.Location is { } location ? new Uri(address, location) : null;
            var isElsewhere = next is null || next.Host != address.Host || next.Port != address.Port;
            if (!follow && (isElsewhere || Header(response, LinkedEtag) is not null)) return response;
            response.Dispose();
            if (next is null || next.Scheme is not ("http" or "https") || redirects == MostRedirects)
                throw new IOException($"{address.GetLeftPart(UriPartial.Path)}: redirects without an end");
            if (address.Scheme == "https" && next.Scheme == "http")
                throw new IOException($"{address.GetLeftPart(UriPartial.Path)}: redirects from https to http");
            address = next;
        }
    }

    private static bool IsRedirect(HttpResponseMessage response) => (int)response.StatusCode is 301 or 302 or 303 or 307 or 308;

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.First() : null;

    private void Require(HttpResponseMessage response, Uri address)
    {
        if (response.IsSuccessStatusCode) return;
        var place = address.GetLeftPart(UriPartial.Path);
        throw (int)response.StatusCode switch
        {
            401 or 403 => new ConfigException($"{place}: may not be read (HTTP {(int)response.StatusCode}); allowed: a public repository"
                + $", or one that {(_settings.Token is null ? "HF_TOKEN" : "the token")} opens, its terms agreed to on the hub's page"),
            404 => new ConfigException($"{place}: is not there; allowed: a repository and revision of the hub"),
            429 or >= 500 => new IOException($"{place}: HTTP {(int)response.StatusCode}"),
            var code => new ConfigException($"{place}: HTTP {code}; allowed: an answer of a hub"),
        };
    }

    private async Task Copy(Uri address, Stream source, Stream target, CancellationToken cancellation)
    {
        var buffer = new byte[1 << 16];
        for (var total = 0L; ;)
        {
            var read = await Wait(
                address.GetLeftPart(UriPartial.Path), token => source.ReadAsync(buffer, token), cancellation);
            if (read == 0) return;
            if ((total += read) > LargestAnswer)
                throw new ConfigException($"an answer of more than {LargestAnswer} bytes; allowed: a hub's");
            await target.WriteAsync(buffer.AsMemory(0, read), cancellation);
        }
    }
}
