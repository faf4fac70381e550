using Microsoft.Playwright;
using KvPareto.Testing;

namespace KvPareto.Browser.Tests;

public class ReportPageTests(Chromium chromium, HostileRun run) : IClassFixture<Chromium>, IClassFixture<HostileRun>
{
    private const string Smallest = "w16a16-k4v4-t64";

    /// <summary>Nothing of what models and data say becomes markup or script, and nothing is asked of a network.</summary>
    [Fact]
    public async Task Texts_StayTexts()
    {
        var opened = await chromium.Open(run.Page);
        var page = opened.Page;
        Assert.Empty(opened.Problems);
        Assert.Single(opened.Requests);
        Assert.Equal("undefined", await page.EvaluateAsync<string>("typeof window.attacked"));
        Assert.Equal(0, await page.Locator("img").CountAsync());
        Assert.Equal(0, await page.Locator("main b, main i, main u").CountAsync());
        Assert.Equal(2, await page.Locator("script").CountAsync());
        Assert.Equal($"run {HostileRun.Attack}", await page.Locator("h1").TextContentAsync());
        Assert.Contains(HostileRun.Model, await page.Locator("#count").TextContentAsync());
        Assert.Contains(HostileRun.Attack, await page.Locator("#failed").TextContentAsync());
        Assert.Contains($"Head 0 {HostileRun.Attack}", await page.Locator("#sample-list tbody tr").First.TextContentAsync());
        Assert.Contains($"device {HostileRun.Attack}", await page.Locator("#provenance").TextContentAsync());
    }

    [Fact]
    public async Task Points_ShowWhatTheyAreWhenPointedAt()
    {
        var opened = await chromium.Open(run.Page);
        Assert.Equal(4, await opened.Points.CountAsync());
        var point = opened.Page.Locator($"#chart [data-setting='{Smallest}']");
        Assert.Equal("true", await point.GetAttributeAsync("data-frontier"));
        Assert.Equal("false", await opened.Page.Locator("#chart [data-setting='w16a16-k2v2-t64']").GetAttributeAsync("data-frontier"));
        await point.HoverAsync();
        var hint = opened.Page.Locator("#hint");
        Assert.True(await hint.IsVisibleAsync());
        var text = await hint.TextContentAsync();
        foreach (var part in new[] { Smallest, "1.95 KiB", "50.0 % saved", "score 50.00", "on the frontier", "first token 102 ms" })
            Assert.Contains(part, text);
        await opened.Page.Mouse.MoveAsync(5, 5);
        Assert.False(await hint.IsVisibleAsync());
    }

    /// <summary>Where all score alike, the picture is not of hundredths of a point.</summary>
    [Theory]
    [InlineData("[0, 0]", 0, 4)]
    [InlineData("[70, 70.5]", 68, 72)]
    [InlineData("[100, 100]", 96, 100)]
    [InlineData("[0, 90]", 0, 80)]
    public async Task ScoresThatAreAlike_SpanSomePoints(string scores, double first, double last)
    {
        var opened = await chromium.Read(run.Page);
        var ticks = await opened.Page.EvaluateAsync<double[]>($"scale({scores}, 400, 0, measures.score).ticks");
        Assert.Equal((first, last), (ticks[0], ticks[^1]));
    }

    /// <summary>As in the tables of the command line.</summary>
    [Theory]
    [InlineData("fixed(90.625, 2)", "90.62")]
    [InlineData("fixed(84.375, 2, ' %')", "84.38 %")]
    [InlineData("between([53.125, 1234.5], 1)", "53.1 – 1234.5")]
    [InlineData("placeMark({ isFrontier: true, isBaseline: true })", "★ base")]
    [InlineData("placeMark({ isFrontier: true, isBaseline: false })", "★")]
    [InlineData("counted(1, 'setting')", "1 setting")]
    [InlineData("counted(12345, 'token')", "12,345 tokens")]
    [InlineData("['128', '64', 'none', '256'].sort(byNumber).join(' ')", "64 128 256 none")]
    public async Task Figures_AreWrittenAsElsewhere(string call, string expected)
    {
        var opened = await chromium.Read(run.Page);
        Assert.Equal(expected, await opened.Page.EvaluateAsync<string>(call));
    }

    /// <summary>Made-up prompts have peaks and times alone.</summary>
    [Fact]
    public async Task RunWithoutScores_HasItsTableAlone()
    {
        using var folder = new ScratchFolder();
        HostileRun.WriteWithoutScores(folder.Root);
        var opened = await chromium.Open(folder["report.html"]);
        Assert.EndsWith(": 4 settings, without a score", await opened.Page.Locator("#summary").TextContentAsync());
        Assert.Equal(4, await opened.Page.Locator("#unscored tbody tr").CountAsync());
        foreach (var section in new[] { "#frontier", "#samples", "#memory", "nav [href='#memory']" })
            Assert.False(await opened.Page.Locator(section).IsVisibleAsync(), section);
        Assert.True(await opened.Page.Locator("#settings").IsVisibleAsync());
        Assert.Empty(opened.Problems);
    }

    [Fact]
    public async Task Filters_LeaveOutSettingsEverywhere()
    {
        var opened = await chromium.Open(run.Page);
        var page = opened.Page;
        await page.Locator("[data-axis='key_bits'][value='4']").UncheckAsync();
        Assert.DoesNotContain(Smallest, await opened.Settings());
        Assert.Equal((3, 3), (await opened.Points.CountAsync(), await page.Locator("#bars text[text-anchor=end]").CountAsync()));
        Assert.StartsWith("3 of 4 settings", await page.Locator("#count").TextContentAsync());
        // What it dominated is on the frontier of what is shown.
        Assert.Equal("true", await page.Locator("#chart [data-setting='w16a16-k2v2-t64']").GetAttributeAsync("data-frontier"));
        await page.Locator("#reset").ClickAsync();
        Assert.Equal(4, await opened.Rows.CountAsync());
        await page.Locator("#text").FillAsync("k8v8");
        Assert.Equal(["w16a16-k8v8-t64"], await opened.Settings());
        await page.Locator("#text").FillAsync("");
        await page.Locator("#frontier-only").CheckAsync();
        Assert.Equal([Smallest, "w16a16-k8v8-t64"], await opened.Settings());
        Assert.Empty(opened.Problems);
    }

    [Fact]
    public async Task Columns_SortBothWays()
    {
        var opened = await chromium.Open(run.Page);
        Assert.Equal([Smallest, "w16a16-k2v2-t64", "w16a16-k8v8-t64", HostileRun.Baseline], await opened.Settings());
        var score = opened.Page.Locator("[data-sort='score']");
        await score.ClickAsync();
        Assert.Equal("w16a16-k2v2-t64", (await opened.Settings())[0]);
        Assert.Equal("ascending", await opened.Page.Locator("th:has([data-sort='score'])").GetAttributeAsync("aria-sort"));
        await score.ClickAsync();
        Assert.Equal("w16a16-k2v2-t64", (await opened.Settings())[^1]);
        Assert.Equal("descending", await opened.Page.Locator("th:has([data-sort='score'])").GetAttributeAsync("aria-sort"));
    }

    /// <summary>Two settings side by side: prompt, reference, both predictions and scores, and what is only in one of them.</summary>
    [Fact]
    public async Task Samples_StandSideBySide()
    {
        var opened = await chromium.Open(run.Page);
        var page = opened.Page;
        await page.Locator("#setting-a").SelectOptionAsync(new SelectOptionValue { Label = $"{HostileRun.Baseline} (baseline)" });
        await page.Locator("#setting-b").SelectOptionAsync(new SelectOptionValue { Label = Smallest });
        await page.Locator("#which").SelectOptionAsync("better");
        Assert.StartsWith($"8 of {HostileRun.Samples} samples", await page.Locator("#sample-count").TextContentAsync());
        var cells = page.Locator("#sample-list tbody tr").First.Locator("td");
        var texts = await cells.AllTextContentsAsync();
        Assert.StartsWith("Head 20 ", texts[1]);
        Assert.Contains("(500 tokens)", texts[1]);
        Assert.EndsWith("Question?", texts[1]);
        Assert.StartsWith("right 20\n", texts[2]);
        Assert.Equal($"right 20 {HostileRun.Attack}", texts[3]);
        Assert.StartsWith("100.0", texts[4]);
        Assert.Equal("wrong 20", texts[5]);
        Assert.StartsWith("0.0", texts[6]);
        Assert.Contains("fl<u>exible 50.0", texts[6]);

        await page.Locator("#which").SelectOptionAsync("all");
        Assert.Equal(20, await page.Locator("#sample-list tbody tr").CountAsync());
        await page.Locator("#next").ClickAsync();
        Assert.Equal(10, await page.Locator("#sample-list tbody tr").CountAsync());
        await page.Locator("#search").FillAsync("wrong 29");
        Assert.Equal(1, await page.Locator("#sample-list tbody tr").CountAsync());
        await page.Locator("#search").FillAsync("");
        await page.Locator("#task").SelectOptionAsync("1");
        Assert.Contains("right 0", await page.Locator("#sample-list tbody tr").First.TextContentAsync());
        Assert.Empty(opened.Problems);
    }

    /// <summary>By keyboard alone: a point of the chart, the next one, and both taken for the comparison.</summary>
    [Fact]
    public async Task Keyboard_ReachesPointsButtonsAndSections()
    {
        var opened = await chromium.Open(run.Page);
        var page = opened.Page;
        await page.Keyboard.PressAsync("Tab");
        Assert.Equal("Skip to the content", await page.EvaluateAsync<string>("document.activeElement.textContent"));
        await page.Locator($"#chart [data-setting='{Smallest}']").FocusAsync();
        Assert.True(await page.Locator("#hint").IsVisibleAsync());
        await page.Keyboard.PressAsync("ArrowRight");
        var second = await page.EvaluateAsync<string>("document.activeElement.dataset.setting");
        Assert.Equal("w16a16-k2v2-t64", second);
        await page.Keyboard.PressAsync("Enter");
        Assert.Equal("true", await page.GetByLabel($"{second} as A", new() { Exact = true }).GetAttributeAsync("aria-pressed"));
        await page.Keyboard.PressAsync("ArrowLeft");
        await page.Keyboard.PressAsync("Shift+Enter");
        Assert.Equal("true", await page.GetByLabel($"{Smallest} as B", new() { Exact = true }).GetAttributeAsync("aria-pressed"));
        await page.Locator("[data-sort='loss']").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        Assert.Equal("loss", await page.EvaluateAsync<string>("document.activeElement.dataset.sort"));
        // Every control can be reached and shows where the focus is.
        var reached = new HashSet<string>();
        for (var i = 0; i < 80; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            reached.Add(await page.EvaluateAsync<string>("document.activeElement.closest('section, header')?.id ?? ''"));
        }
        Assert.Superset(new HashSet<string> { "frontier", "settings", "samples", "memory", "provenance" }, reached);
    }

    [Theory]
    [InlineData(ColorScheme.Light, "rgb(255, 255, 255)")]
    [InlineData(ColorScheme.Dark, "rgb(22, 24, 27)")]
    public async Task Theme_FollowsTheSystemUntilChosen(ColorScheme scheme, string background)
    {
        var opened = await chromium.Open(run.Page, scheme, ownProfile: true);
        var page = opened.Page;
        Assert.Equal(background, await Background());
        await opened.Picture($"report-{scheme.ToString().ToLowerInvariant()}");
        var button = page.Locator("#theme");
        await button.ClickAsync();
        Assert.Equal(("Theme: light", "rgb(255, 255, 255)"), (await button.TextContentAsync(), await Background()));
        await button.ClickAsync();
        Assert.Equal(("Theme: dark", "rgb(22, 24, 27)"), (await button.TextContentAsync(), await Background()));
        await page.ReloadAsync();
        Assert.Equal("rgb(22, 24, 27)", await Background());
        Assert.Empty(opened.Problems);

        Task<string> Background() => page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
    }

    /// <summary>Text against what it stands on, as WCAG 2 asks for it: 4.5 to 1.</summary>
    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Text_HasContrast(ColorScheme scheme)
    {
        var opened = await chromium.Open(run.Page, scheme);
        var worst = await opened.Page.EvaluateAsync<double>("""
            () => {
              const numbers = color => color.match(/[\d.]+/g).map(Number);
              const light = color => {
                const [r, g, b] = numbers(color).map(part => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
              };
              const ground = element => {
                for (; element; element = element.parentElement) {
                  const color = getComputedStyle(element).backgroundColor;
                  if (numbers(color)[3] !== 0) return color;
                }
                return 'rgb(255, 255, 255)';
              };
              const texts = [...document.querySelectorAll('main *, header *')].filter(element =>
                !(element instanceof SVGElement) && !element.disabled
                && [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
              return Math.min(...texts.map(element => {
                const [a, b] = [light(getComputedStyle(element).color), light(ground(element))];
                return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
              }));
            }
            """);
        Assert.True(worst >= 4.5, $"{worst:F2} to 1");
    }

    [Fact]
    public async Task NarrowWindow_ScrollsWithinTablesOnly()
    {
        var opened = await chromium.Open(run.Page, width: 420);
        Assert.True(await opened.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= 420);
        await opened.Picture("report-narrow");
    }

    [Fact]
    public async Task Memory_IsThatOfThePhaseChosen()
    {
        var opened = await chromium.Open(run.Page);
        var bar = opened.Page.Locator("#bars title");
        Assert.Equal(
            ["weights: 1000 B", "KV cache: 500 B", "activations: 250 B", "workspace: 250 B"], (await bar.AllTextContentsAsync()).Take(4));
        await opened.Page.Locator("#phase").SelectOptionAsync("load");
        Assert.Equal("KV cache: 0 B", (await bar.AllTextContentsAsync())[1]);
        await opened.Page.Locator("#phase").SelectOptionAsync("decode");
        Assert.Contains("not reached", await opened.Page.Locator("#bars").TextContentAsync());
    }
}
