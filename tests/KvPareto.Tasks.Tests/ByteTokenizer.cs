using KvPareto.Testing;
using KvPareto.Text.Templates;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Tasks.Tests;

/// <summary>A real tokenizer small enough to reckon with: one token a byte, and a leading &lt;s&gt;.</summary>
internal static class ByteTokenizer
{
    public const int Bos = ByteTokenizerFile.Bos;

    /// <summary>A prompt context over it, with or without a chat template of fixed cost.</summary>
    public static PromptContext Context(ScratchFolder folder, int maxPromptTokens, bool chat = false)
    {
        folder.Write("tokenizer.json", ByteTokenizerFile.Json());
        if (chat)
        {
            folder.Write("chat_template.jinja",
                "{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}{% endfor %}" +
                "{% if add_generation_prompt %} [reply] {% endif %}");
        }
        return new PromptContext(Tokenizer.Load(folder.Root), chat ? ChatTemplate.Load(folder.Root) : null, maxPromptTokens);
    }

    /// <summary>What the chat template adds, in tokens.</summary>
    public static int ChatCost => "[user]  [reply] ".Length;
}
