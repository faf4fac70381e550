using KvPareto.Cli.Hub;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Tests.Hub;

public sealed class HubDownloadTests : IDisposable
{
    private const string Name = "Org/some-model";

    private readonly ScratchFolder _folder = new();
    private readonly HubServer _server = new();
    private readonly List<string> _said = [];
    private readonly byte[] _weights;

    public HubDownloadTests()
    {
        var model = new TinyModel().Write(_folder["model"]);
        foreach (var file in Directory.GetFiles(model)) _server.Files[Path.GetFileName(file)] = File.ReadAllBytes(file);
        _server.Files["pytorch_model.bin"] = [1];
        _weights = _server.Files["model.safetensors"];
    }

    [Fact]
    public async Task Pull_MakesTheHubsOwnCache_WhichIsAModel()
    {
        var folder = await Pull();
        Assert.Equal(_folder["hub/models--Org--some-model"], folder);
        Assert.Equal(HubServer.Commit, File.ReadAllText(Path.Combine(folder, "refs/main")));
        var snapshot = Path.Combine(folder, "snapshots", HubServer.Commit);
        Assert.False(File.Exists(Path.Combine(snapshot, "pytorch_model.bin")));
        Assert.Equal(_weights, File.ReadAllBytes(Path.Combine(snapshot, "model.safetensors")));
        Assert.Equal(
            "../../blobs/" + HubServer.GitHash(_server.Files["config.json"]), new FileInfo(Path.Combine(snapshot, "config.json"))
                .LinkTarget);
        Assert.Equal("some-model", ModelSource.Open(folder).Name);
        using var checkpoint = ModelSource.Open(folder).OpenCheckpoint();
        Assert.True(checkpoint.Contains("model.norm.weight"));

        var before = Contents();
        await Pull();
        Assert.Equal(before, Contents()); // nothing is brought twice
    }

    [Fact]
    public async Task CutConnections_GoOnWhereTheyStopped()
    {
        var third = _weights.Length / 3;
        await Pull("*.json");
        _server.Cuts.Enqueue(third);
        _server.Cuts.Enqueue(third);
        await Pull("*.safetensors");
        Assert.Equal(
            ["", $" from {third}", $" from {2 * third}"], _server.Requests.Where(line => line.StartsWith("GET", StringComparison.Ordinal)
            && line.Contains("safetensors", StringComparison.Ordinal))
                .Select(line => line[(line.IndexOf("tensors", StringComparison.Ordinal) + 7)..]));
        Assert.Equal(_weights, Weights());
    }

    [Fact]
    public async Task ServerWithoutAnAnswer_IsAskedAgain()
    {
        _server.Silences = 2;
        await Pull("*.safetensors", patience: TimeSpan.FromMilliseconds(200));
        Assert.Contains("/revision/main: nothing came for 0.2 s; once more (2 of 5)", _said[1], StringComparison.Ordinal);
        Assert.Equal(_weights, Weights());
    }

    [Fact]
    public async Task ServerWithoutRanges_BeginsAnew()
    {
        _server.IgnoresRanges = true;
        _server.Cuts.Enqueue(100);
        await Pull("*.safetensors");
        Assert.Equal(_weights, Weights());
    }

    [Fact]
    public async Task EndedProcess_IsGoneOnWith()
    {
        for (var i = 0; i < 6; i++) _server.Cuts.Enqueue(10);
        await Assert.ThrowsAsync<IOException>(() => Pull("*.safetensors"));
        await Pull("*.safetensors");
        Assert.Contains(_server.Requests, line => line.EndsWith(" from 60", StringComparison.Ordinal));
        Assert.Equal(_weights, Weights());
    }

    [Fact]
    public async Task WrongContent_GetsNoName()
    {
        _server.HashLie = true;
        var error = await Assert.ThrowsAsync<ConfigException>(() => Pull("*.safetensors"));
        Assert.StartsWith("model.safetensors: its hash is ", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder["hub"], "*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(-5)]
    public async Task WrongLength_IsRefused(int lie)
    {
        _server.LengthLie = lie;
        await Assert.ThrowsAsync<IOException>(() => Pull("*.safetensors"));
        Assert.DoesNotContain(
            Directory.GetFiles(_folder["hub"], "*", SearchOption.AllDirectories),
            file => !file.EndsWith(".incomplete", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Token_GoesToTheHubAlone()
    {
        using var storage = new HubServer();
        foreach (var (name, content) in _server.Files) storage.Files[name] = content;
        _server.Elsewhere = storage;
        await Pull("*.safetensors", token: "hf_secret");
        Assert.All(_server.Requests, line => Assert.EndsWith(" Bearer hf_secret", line, StringComparison.Ordinal));
        Assert.NotEmpty(storage.Requests);
        Assert.All(storage.Requests, line => Assert.DoesNotContain("secret", line, StringComparison.Ordinal));
        Assert.Equal(_weights, Weights());
    }

    [Theory]
    [InlineData(401, "may not be read (HTTP 401)")]
    [InlineData(404, "is not there")]
    public async Task Refusals_AreOneLine(int status, string words)
    {
        _server.Status = status;
        var error = await Assert.ThrowsAsync<ConfigException>(() => Pull());
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BusyHub_IsAskedAgain_AndThenGivenUp()
    {
        _server.Status = 503;
        await Assert.ThrowsAsync<IOException>(() => Pull());
        Assert.Equal(6, _server.Requests.Count);
    }

    [Theory]
    [InlineData("../../evil")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../b")]
    [InlineData("a//b")]
    public async Task NamesThatLeaveTheFolder_AreRefused(string name)
    {
        _server.Files[name] = [1];
        Assert.Contains("is no file's name", (await Assert.ThrowsAsync<ConfigException>(() => Pull())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PatternOfNothing_NamesWhatThereIs() => Assert.Contains(
        "allowed: --include with a pattern of ", (await Assert.ThrowsAsync<ConfigException>(() => Pull("*.gguf"))).Message,
        StringComparison.Ordinal);

    [Fact]
    public async Task Offline_MakesNoConnection()
    {
        await Assert.ThrowsAsync<ConfigException>(() => Pull(isOffline: true));
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public async Task Offline_GivesWhatIsInTheCache()
    {
        var folder = await Pull();
        var asked = _server.Requests.Count;
        Assert.Equal(folder, await Pull(isOffline: true));
        Assert.Equal(folder, await Pull("*.safetensors", isOffline: true));
        var missing = await Assert.ThrowsAsync<ConfigException>(() => Pull("*q4_k_m*.gguf", isOffline: true));
        Assert.Equal(
            $"{Name}: not in {_folder["hub"]} as main with such files, and HF_HUB_OFFLINE is set; allowed: what is in the cache, or no "
                + "such variable", missing.Message);
        Assert.Equal(asked, _server.Requests.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b/c")]
    [InlineData("../x")]
    [InlineData("a b/c")]
    [InlineData("https://huggingface.co/a/b")]
    public void Repository_IsANameOfTheHub(string text) =>
        Assert.Contains(
            "is no repository", Assert.Throws<ConfigException>(() => HubRepository.Parse(text)).Message, StringComparison.Ordinal);

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    private async Task<string> Pull(string? pattern = null, string? token = null, bool isOffline = false, TimeSpan? patience = null)
    {
        var settings = new HubSettings(new(_server.Address + "/"), _folder["hub"], token, isOffline);
        using var client = new HubClient(settings) { Patience = patience ?? TimeSpan.FromMinutes(1) };
        return await new HubDownload(settings, client, _said.Add) { Pause = TimeSpan.FromMilliseconds(1) }.Run(
            HubRepository.Parse(Name), "main", pattern is null ? HubDownload.DefaultPatterns
                : [pattern], TestContext.Current.CancellationToken);
    }

    private byte[] Weights() =>
        File.ReadAllBytes(_folder[$"hub/models--Org--some-model/snapshots/{HubServer.Commit}/model.safetensors"]);

    private int Contents() => _server.Requests.Count(line =>
        line.StartsWith("GET", StringComparison.Ordinal) && line.Contains("/resolve/", StringComparison.Ordinal));
}
