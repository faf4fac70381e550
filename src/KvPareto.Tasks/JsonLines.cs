using System.IO.Compression;
using System.Text.Json;
using KvPareto.Text.Input;

namespace KvPareto.Tasks;

/// <summary>Reads JSON Lines files from outside, row by row; a name ending in ".gz" is decompressed on the way.</summary>
internal static class JsonLines
{
    /// <summary>Longest line that is read: far over any prompt, and a bound on the memory that a damaged file can claim.</summary>
    internal const int MaxLineBytes = 16 << 20;

    // Which of two would count depends on the reader.
    private static readonly JsonDocumentOptions OneOfEachKey = new() { AllowDuplicateProperties = false };

    /// <summary>The rows that are not blank; each is valid only until the next is asked for.</summary>
    /// <exception cref="ConfigException">The file cannot be read, or a line is too long, not UTF-8 or not one JSON object.</exception>
    public static IEnumerable<JsonRow> Read(string path) => Rows(path, () => Open(path));

    /// <summary>The same of a stream, which is closed at the end.</summary>
    /// <param name="name">Its name in messages.</param>
    /// <param name="stream">JSON Lines, not compressed.</param>
    public static IEnumerable<JsonRow> Read(string name, Stream stream) => Rows(name, () => stream);

    private static IEnumerable<JsonRow> Rows(string path, Func<Stream> open)
    {
        using var lines = new LineReader(path, open);
        for (var number = 1; lines.TryRead(number, out var line); number++)
        {
            if (line.Span.Trim(" \t\r"u8).IsEmpty) continue;
            using var document = Parse(path, number, line);
            yield return new JsonRow(path, number, document.RootElement);
        }
    }

    /// <summary>A file's bytes, decompressed where its name ends in ".gz".</summary>
    /// <exception cref="ConfigException">It cannot be opened.</exception>
    internal static Stream Open(string path)
    {
        var file = ForeignFile.OpenOnce(path);
        return path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    /// <summary>What to throw where a file's bytes cannot be had, or not decompressed.</summary>
    internal static ConfigException Unreadable(string path, Exception error) =>
        new($"{path}: cannot be read: {(error is InvalidDataException ? "no whole gzip file" : OneLine.OfMessage(error.Message))}", error);

    private static JsonDocument Parse(string path, int number, ReadOnlyMemory<byte> line)
    {
        if (!System.Text.Unicode.Utf8.IsValid(line.Span)) throw new ConfigException($"{path}:{number}: not valid UTF-8");
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(line, OneOfEachKey);
        }
        catch (JsonException error)
        {
            var place = error.BytePositionInLine is { } at ? $" at byte {at}; each line must be one JSON object"
                : $": {OneLine.OfMessage(error.Message)}";
            throw new ConfigException($"{path}:{number}: not valid JSON{place}", error);
        }
        catch (InvalidOperationException error)
        {
            throw new ConfigException($"{path}:{number}: a text has half of a surrogate pair", error);
        }
        if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
        document.Dispose();
        throw new ConfigException($"{path}:{number}: each line must be one JSON object");
    }

    private sealed class LineReader : IDisposable
    {
        private readonly string _path;
        private readonly Stream _stream;
        private byte[] _buffer = new byte[1 << 16];
        private int _start;
        private int _end;
        private bool _ended;

        public LineReader(string path, Func<Stream> open)
        {
            _path = path;
            _stream = Guarded(open);
        }

        public void Dispose() => _stream.Dispose();

        /// <summary>The next line without its line feed and, on line 1, without a byte order mark; false at the end of the file.</summary>
        public bool TryRead(int number, out ReadOnlyMemory<byte> line)
        {
            var searched = 0;
            while (true)
            {
                var found = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
                searched = found >= 0 ? searched + found : _end - _start;
                if (searched > MaxLineBytes) throw new ConfigException($"{_path}:{number}: line longer than {MaxLineBytes >> 20} MiB");
                if (found >= 0 || _ended) break;
                Fill();
            }
            line = _buffer.AsMemory(_start, searched);
            var any = _start < _end;
            _start = Math.Min(_start + searched + 1, _end);
            if (number == 1 && line.Span.StartsWith("\uFEFF"u8)) line = line[3..];
            return any;
        }

        private void Fill()
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
            if (_end == _buffer.Length) Array.Resize(ref _buffer, 2 * _buffer.Length);
            var read = Guarded(() => _stream.Read(_buffer, _end, _buffer.Length - _end));
            _end += read;
            _ended = read == 0;
        }

        private T Guarded<T>(Func<T> read)
        {
            try
            {
                return read();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException)
            {
                throw Unreadable(_path, error);
            }
        }
    }
}
