using System.Globalization;
using System.Text;
using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.Bpe;

namespace KvPareto.Text.Tokenizers.Decoding;

/// <summary>ByteLevel: the tokens' bytes joined and read as UTF-8; each maximal invalid part becomes one U+FFFD.</summary>
internal sealed class ByteLevelStage(DecodeStage next, WorkBudget budget) : WholeTokenStage(budget)
{
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

    public override void Finish()
    {
        next.Take(Read([], flush: true), true);
        next.Finish();
    }

    protected override void TakeToken(string token)
    {
        if (Read(ByteAlphabet.Unmap(token), flush: false) is { Length: > 0 } text) next.Take(text, false);
    }

    private string Read(ReadOnlySpan<byte> bytes, bool flush)
    {
        var characters = new char[bytes.Length + 4];
        return new string(characters, 0, _utf8.GetChars(bytes, characters, flush));
    }
}

/// <summary>
/// ByteFallback: runs of <c>&lt;0xNN&gt;</c> tokens become the text that their bytes spell, or one U+FFFD a byte where the run as a
/// whole is not UTF-8. So a run is held until it ends: a later byte may spoil it.
/// </summary>
internal sealed class ByteFallbackStage(DecodeStage next, WorkBudget budget) : WholeTokenStage(budget)
{
    private readonly List<byte> _run = [];

    public override void Finish()
    {
        EndRun();
        next.Finish();
    }

    protected override void TakeToken(string token)
    {
        if (MergeList.IsByte(token)
            && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            _run.Add(value);
            return;
        }
        EndRun();
        next.Take(token, true);
    }

    private void EndRun()
    {
        if (_run.Count == 0) return;
        var bytes = _run.ToArray();
        _run.Clear();
        try
        {
            next.Take(ForeignFile.StrictUtf8.GetString(bytes), true);
        }
        catch (DecoderFallbackException)
        {
            foreach (var _ in bytes) next.Take("\uFFFD", true);
        }
    }
}
