using Microsoft.Playwright;

namespace KvPareto.Browser.Tests;

/// <summary>
/// Headless Chromium for all tests of a class. The browser is the machine's own: KVPARETO_CHROMIUM, or chromium, chromium-browser,
/// google-chrome on the PATH. Where there is none, tests skip and say so.
/// </summary>
public sealed class Chromium : IAsyncLifetime
{
    private const string Variable = "KVPARETO_CHROMIUM";

    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];

    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private IBrowserContext? _shared;
    private OpenPage? _read;

    public async ValueTask InitializeAsync()
    {
        if (Find() is not { } program) return;
        _playwright = await Playwright.CreateAsync();
        // Without its sandbox, which root may not use; the pages are the tests' own.
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = program, Args = ["--no-sandbox"] });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    /// <summary>A page of a file; what goes wrong in its scripts, and whatever it asks a network for, is noted. One that keeps something
    /// in its profile takes <paramref name="ownProfile"/>; pages of a profile share a process, which is the dearest of opening one.</summary>
    public async Task<OpenPage> Open(
        string file, ColorScheme scheme = ColorScheme.Light, int width = 1280, bool ownProfile = false)
    {
        if (_browser is null)
            Assert.Skip($"there is no browser here; allowed: {Variable}, or one of {string.Join(", ", Names)} on the PATH");
        var profile = ownProfile ? await _browser.NewContextAsync() : _shared ??= await _browser.NewContextAsync();
        var page = await profile.NewPageAsync();
        await page.EmulateMediaAsync(new() { ColorScheme = scheme });
        await page.SetViewportSizeAsync(width, 900);
        var opened = new OpenPage(page);
        await page.GotoAsync(new Uri(file).AbsoluteUri);
        return opened;
    }

    /// <summary>A page for what changes nothing in it, opened once: the tests of a class run one after another.</summary>
    public async Task<OpenPage> Read(string file) => _read ??= await Open(file);

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named) return named;
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return folders.SelectMany(folder => Names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
    }
}

/// <summary>A page and what was noted of it.</summary>
public sealed class OpenPage
{
    private readonly List<string> _problems = [];
    private readonly List<string> _requests = [];

    public OpenPage(IPage page)
    {
        Page = page;
        page.PageError += (_, error) => _problems.Add(error);
        page.Console += (_, message) => { if (message.Type is "error" or "warning") _problems.Add(message.Text); };
        page.Request += (_, request) => _requests.Add(request.Url);
        page.Dialog += (_, dialog) => { _problems.Add(dialog.Message); _ = dialog.DismissAsync(); };
    }

    public IPage Page { get; }

    /// <summary>Errors of scripts, refusals of the content policy, dialogs.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>All that was loaded: the file itself, and nothing else.</summary>
    public IReadOnlyList<string> Requests => _requests;

    public ILocator Rows => Page.Locator("#table tbody tr");

    public ILocator Points => Page.Locator("#chart .point");

    /// <summary>Settings of the table, from above.</summary>
    public async Task<string[]> Settings()
    {
        var rows = await Rows.AllAsync();
        return await Task.WhenAll(rows.Select(async row => await row.GetAttributeAsync("data-setting") ?? ""));
    }

    /// <summary>A picture beside the tests, for people to look at.</summary>
    public async Task Picture(string name)
    {
        var file = Path.Combine(AppContext.BaseDirectory, "screenshots", $"{name}.png");
        var picture = await Page.ScreenshotAsync(new() { Path = file, FullPage = true });
        Assert.True(picture.Length > 10_000);
    }
}
