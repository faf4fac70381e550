using System.CommandLine;
using KvPareto.Cli.Parsing;
using KvPareto.Cli.Terminal;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;

namespace KvPareto.Cli.Commands;

/// <summary><c>kvpareto tokenize MODEL [FILE]</c></summary>
internal static class TokenizeCommand
{
    public static Command Create(CommandContext context)
    {
        var model = new Argument<string>("MODEL")
        {
            Description = "A model with a tokenizer: a folder with tokenizer.json, a .gguf file, or embedded:llama, embedded:qwen2, "
            + "embedded:mistral."
        };
        var file = new Argument<string?>("FILE")
        { Description = "Text, UTF-8; standard input where left out.", Arity = ArgumentArity.ZeroOrOne };
        var chat = new Option<bool>("--chat") { Description = "The text as one user turn in the model's chat template." };
        var template = TemplateOption.Create();
        var noSpecial = new Option<bool>("--no-special")
        { Description = "Without the special tokens that the tokenizer adds (such as a leading BOS)." };
        var json = new Option<bool>("--json") { Description = "Print {\"ids\":[…]}." };
        var command =
            new Verb("tokenize", "Prints the token ids of a text.", "echo -n 'Hello world' | kvpareto tokenize embedded:llama --json")
            { model, file, chat, template, noSpecial, json };
        command.SetAction(parsed =>
        {
            var source = ModelSource.Open(parsed.GetValue(model)!);
            var text = Read(context, parsed.GetValue(file));
            var ids = parsed.GetValue(chat) ? EncodeChat(source, text, TemplateOption.Read(parsed.GetValue(template)!))
                : source.RequireTokenizer().Encode(text, !parsed.GetValue(noSpecial));
            context.Output.WriteLine(parsed.GetValue(json) ? $"{{\"ids\":{JsonText.Of(ids)}}}" : string.Join(' ', ids));
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>A file's text, or standard input's; exactly its characters, a byte order mark included.</summary>
    public static string Read(CommandContext context, string? file)
    {
        if (file is not (null or "-")) return ForeignFile.ReadText(file, Array.MaxLength);
        using var buffer = new MemoryStream();
        context.RequireInput("text").CopyTo(buffer);
        return ForeignFile.TextOf("standard input", buffer.ToArray());
    }

    private static int[] EncodeChat(ModelSource source, string text, TemplateSettings settings)
    {
        var template = source.LoadChatTemplate() ?? throw new ConfigException($"{source.Model}: has no chat template; leave out --chat");
        return source.RequireTokenizer().Encode(template.With(settings).Render([new ChatMessage("user", text)]), addSpecialTokens: false);
    }
}
