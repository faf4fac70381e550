using System.Text;

namespace KvPareto.Text.Tokenizers.Bpe;

/// <summary>
/// GPT-2's printable character for each byte: printable Latin-1 stands for itself, the other 68 bytes are U+0100 and up in order.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = CreateCharacters();
    private static readonly short[] Bytes = CreateBytes();

    /// <summary>The characters of the UTF-8 bytes of <paramref name="text"/>.</summary>
    public static string Map(ReadOnlySpan<char> text)
    {
        var count = Encoding.UTF8.GetByteCount(text);
        var bytes = count <= 256 ? stackalloc byte[count] : new byte[count];
        Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(count, bytes, static (characters, source) =>
        {
            for (var i = 0; i < characters.Length; i++) characters[i] = Characters[source[i]];
        });
    }

    /// <summary>
    /// The bytes that <paramref name="token"/> stands for: its own UTF-8 where one of its characters is not of the alphabet.
    /// </summary>
    public static byte[] Unmap(ReadOnlySpan<char> token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < token.Length; i++)
        {
            var value = token[i] < Bytes.Length ? Bytes[token[i]] : -1;
            if (value < 0)
            {
                bytes = new byte[Encoding.UTF8.GetByteCount(token)];
                Encoding.UTF8.GetBytes(token, bytes);
                return bytes;
            }
            bytes[i] = (byte)value;
        }
        return bytes;
    }

    private static char[] CreateCharacters()
    {
        var (characters, extra) = (new char[256], 256);
        for (var b = 0; b < 256; b++) characters[b] = b is (>= 33 and <= 126) or (>= 161 and <= 172) or >= 174 ? (char)b : (char)extra++;
        return characters;
    }

    private static short[] CreateBytes()
    {
        var bytes = new short[Characters.Max() + 1];
        Array.Fill(bytes, (short)-1);
        for (var b = 0; b < 256; b++) bytes[Characters[b]] = (short)b;
        return bytes;
    }
}
