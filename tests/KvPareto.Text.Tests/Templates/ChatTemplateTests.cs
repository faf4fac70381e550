using System.Text.Json.Nodes;
using KvPareto.Testing;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;

namespace KvPareto.Text.Tests.Templates;

public class ChatTemplateTests
{
    private static readonly ChatMessage[] Hello = [new("user", "Hello")];

    /// <summary>Nine published templates over eight conversations, as Hugging Face transformers renders them.</summary>
    [Fact]
    public void PublishedTemplatesEqualTransformers()
    {
        var cases = JsonNode.Parse(File.ReadAllText(TestData.SharedOrSkip("data", "chat-templates", "rendered.json")))!.AsArray();
        var variables = new Dictionary<string, object?> { ["bos_token"] = "<s>", ["eos_token"] = "</s>", ["date_string"] = "26 Jul 2024" };
        Assert.Equal(144, cases.Count);
        foreach (var one in cases)
        {
            var name = (string)one!["template"]!;
            var template = ChatTemplate.Parse(File.ReadAllText(TestData.SharedOrSkip("data", "chat-templates", name)), variables, name);
            var messages = one["messages"]!.AsArray().Select(static m => new ChatMessage((string)m!["role"]!, (string)m["content"]!))
                .ToList();
            string Render() => template.Render(messages, (bool)one["add_generation_prompt"]!);
            if (one["error"] is { } error)
            {
                var message = Assert.Throws<ConfigException>(Render).Message;
                Assert.StartsWith(name + ": line ", message, StringComparison.Ordinal);
                Assert.EndsWith((string)error!, message, StringComparison.Ordinal);
            }
            else Assert.Equal((string)one["text"]!, Render());
        }
    }

    [Fact]
    public void ConfigurationGivesTemplateAndSpecialTokens()
    {
        using var folder = new ScratchFolder();
        File.WriteAllText(folder["special_tokens_map.json"],
            """{"bos_token":"<wrong>","unk_token":{"content":"<unk>","lstrip":false}}""");
        File.WriteAllText(folder["tokenizer_config.json"], """
            {"bos_token":{"content":"<s>"},"eos_token":"</s>","pad_token":null,"add_bos_token":true,
             "chat_template":[{"name":"tool_use","template":"no"},
              {"name":"default","template":"{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ unk_token }}{{ pad_token }}"}]}
            """);
        Assert.Equal("<s>Hello</s><unk>", ChatTemplate.Load(folder.Root)!.Render(Hello));

        File.WriteAllText(folder["chat_template.json"], """{"chat_template":"json {{ bos_token }}"}""");
        Assert.Equal("json <s>", ChatTemplate.Load(folder.Root)!.Render(Hello));

        File.WriteAllText(folder["chat_template.jinja"], "jinja {{ bos_token }}\n");
        Assert.Equal("jinja <s>", ChatTemplate.Load(folder.Root)!.Render(Hello));

        File.WriteAllBytes(folder["chat_template.jinja"], [.. "latin "u8, 0xE9]);
        Assert.Equal(
            folder["chat_template.jinja"] + ": not UTF-8 at byte 6",
            Assert.Throws<ConfigException>(() => ChatTemplate.Load(folder.Root)).Message);
    }

    [Theory]
    [InlineData("{\"chat_template\":7}", "chat_template: expected a string")]
    [InlineData("{\"chat_template\":[{\"name\":\"rag\",\"template\":\"x\"}]}",
        "chat_template: none of the templates is named 'default'; there are: 'rag'")]
    [InlineData("{\"chat_template\":\"a\\n{% include 'x' %}\"}", "line 2: the tag 'include' is not known")]
    [InlineData("{\"bos_token\":", "not valid JSON")]
    [InlineData("[]", "expected an object")]
    public void DamagedConfigurationIsOneLine(string json, string expected)
    {
        using var folder = new ScratchFolder();
        File.WriteAllText(folder["tokenizer_config.json"], json);
        var message = Assert.Throws<ConfigException>(() => ChatTemplate.Load(folder.Root)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains("tokenizer_config.json", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void FolderWithoutTemplateHasNone()
    {
        using var folder = new ScratchFolder();
        Assert.Null(ChatTemplate.Load(folder.Root));
        File.WriteAllText(folder["tokenizer_config.json"], "{}");
        Assert.Null(ChatTemplate.Load(folder.Root));
    }

    [Fact]
    public void DateStandsStillUnlessOneIsGiven()
    {
        const string Text = "{{ strftime_now('%d %b %Y') }} {{ strftime_now('%-d.%-m.%y %H:%M %A %B %j') }}";
        Assert.Equal("26 Jul 2024 26.7.24 00:00 Friday July 208", ChatTemplate.Parse(Text).Render(Hello));
        var settings = TemplateSettings.Create([new("strftime_now", "2031-01-05")]);
        Assert.Equal("05 Jan 2031 5.1.31 00:00 Sunday January 005", ChatTemplate.Parse(Text).With(settings).Render(Hello));
        Assert.Equal("""{"strftime_now":"2031-01-05"}""", settings.ToJson().ToJsonString());
        Assert.Equal("""{"strftime_now":"2024-07-26"}""", TemplateSettings.Default.ToJson().ToJsonString());
    }

    [Theory]
    [InlineData("false", "False bool")]
    [InlineData("none", "None none")]
    [InlineData("7", "7 number")]
    [InlineData("1.5", "1.5 number")]
    [InlineData("low", "low string")]
    [InlineData("\"7\"", "7 string")]
    [InlineData("[1, {\"a\": null}]", "[1, {'a': None}] sequence")]
    public void VariablesReachTheTemplate(string text, string expected)
    {
        var settings = TemplateSettings.Create([new("x", TemplateSettings.Value(text))]);
        const string Template =
            "{{ x }} {{ 'bool' if x is boolean else 'none' if x is none else 'number' if x is number else 'string' if x is string else "
                + "'sequence' }}";
        Assert.Equal(
            expected, ChatTemplate.Parse(Template, new Dictionary<string, object?> { ["x"] = "the model's" }).With(settings).Render(Hello));
    }

    [Theory]
    [InlineData("messages", "1", "template: 'messages' cannot be set; allowed: names of")]
    [InlineData("strftime_now", "today", "template: 'strftime_now' is no date; allowed: yyyy-MM-dd")]
    [InlineData("x", "[1", "template: '[1' begins as JSON and is none")]
    public void SettingThatCannotBeIsRefused(string name, string value, string expected) => Assert.StartsWith(
        expected, Assert.Throws<ConfigException>(() => TemplateSettings.Create([new(name, TemplateSettings.Value(value))]))
            .Message, StringComparison.Ordinal);

    [Fact]
    public void ToolsAreDefinedAndNone()
    {
        var template = ChatTemplate.Parse("{{ tools is defined }}{{ tools is none }}{{ tools | tojson }}{{ enable_thinking is defined }}");
        Assert.Equal("TrueTruenullFalse", template.Render(Hello));
        var tools = new List<object> { new Dictionary<string, object?> { ["name"] = "f", ["n"] = 1, ["x"] = 1.5f } };
        Assert.Equal("TrueFalse[{\"name\": \"f\", \"n\": 1, \"x\": 1.5}]True",
            template.Render(Hello, variables: new Dictionary<string, object?> { ["tools"] = tools, ["enable_thinking"] = false }));
    }

    [Fact]
    public void GenerationPromptIsTold()
    {
        var template = ChatTemplate.Parse(
            "{% for m in messages %}{% generation %}{{ m.role }}:{{ m.content }};{% endgeneration %}{% endfor %}"
            + "{% if add_generation_prompt %}assistant:{% endif %}");
        Assert.Equal("user:Hello;assistant:", template.Render(Hello));
        Assert.Equal("user:Hello;", template.Render(Hello, addGenerationPrompt: false));
    }
}
