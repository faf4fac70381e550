using System.Text;

namespace KvPareto.Tasks.Niah;

/// <summary>The prompt around a haystack, before any chat template.</summary>
internal static class NeedlePrompt
{
    /// <summary>
    /// The prompt over the first <paramref name="chars"/> characters of <paramref name="text"/> with the needle put in at
    /// <c>int(chars * depth / 100)</c> characters, wherever in a sentence that is.
    /// </summary>
    /// <param name="text">Haystack.</param>
    /// <param name="chars">Characters (Unicode code points) of it to use; all of it where it has fewer.</param>
    /// <param name="depth">Depth of the needle in percent, 0 to 100.</param>
    /// <param name="needle">Put in as it stands.</param>
    /// <param name="question">Asked after the text.</param>
    public static string Build(string text, int chars, double depth, string needle, string question)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(chars);
        ArgumentOutOfRangeException.ThrowIfNegative(depth);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(depth, 100);
        var haystack = text[..Utf16Length(text, chars)];
        var place = Utf16Length(haystack, (int)(chars * depth / 100));
        return Wrap(haystack.Insert(place, needle), question);
    }

    /// <summary>The prompt over a text that already holds its needle.</summary>
    public static string Wrap(string text, string question) =>
        $"Read this text and answer the question after it.\n\n{text}\n\n{question} Answer in one sentence.";

    /// <summary>UTF-16 units that the first <paramref name="characters"/> code points of <paramref name="text"/> take.</summary>
    private static int Utf16Length(string text, int characters)
    {
        var at = 0;
        for (; characters > 0 && at < text.Length; characters--)
            at += Rune.TryGetRuneAt(text, at, out var rune) ? rune.Utf16SequenceLength : 1;
        return at;
    }
}
