using System.Text;

namespace KvPareto.Damages;

/// <summary>What was done to a folder.</summary>
/// <param name="Kind">How.</param>
/// <param name="File">To which file.</param>
/// <param name="Where">Byte or line.</param>
internal sealed record Damage(string Kind, string File, int Where);

/// <summary>A copy of a run folder that is damaged again and again: the seed decides how.</summary>
internal sealed class DamagedFolder : IDisposable
{
    private static readonly string[] Labels =
        ["ok", "failed", "finished", "started", "prefill", "decode", "load", "weights", "kvCache", "k2v2", "k16v16"];

    private readonly Dictionary<string, byte[]> _files = [];
    private readonly Random _random;

    public DamagedFolder(string from, int seed)
    {
        _random = new(seed);
        foreach (var file in Directory.GetFiles(from, "*.json*", SearchOption.AllDirectories))
        {
            var name = System.IO.Path.GetRelativePath(from, file);
            if (name.StartsWith("leases", StringComparison.Ordinal)) continue;
            _files.Add(name, File.ReadAllBytes(file));
        }
        Restore();
    }

    /// <summary>The copy.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("kvpareto-damages-").FullName;

    /// <summary>Makes it whole again.</summary>
    public void Restore()
    {
        foreach (var file in Directory.GetFiles(Path, "*", SearchOption.AllDirectories)) File.Delete(file);
        foreach (var (name, content) in _files)
        {
            var path = System.IO.Path.Combine(Path, name);
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, content);
        }
    }

    /// <summary>Does one thing to one file.</summary>
    public Damage Damage()
    {
        while (true)
        {
            var name = _files.Keys.Order(StringComparer.Ordinal).ElementAt(_random.Next(_files.Count));
            var before = _files[name];
            var kind = _random.Next(9);
            var (what, after, where) = kind switch
            {
                0 => Flipped(before),
                1 => Cut(before),
                2 => Removed(before),
                3 or 4 or 5 => Lines(before, kind - 3),
                6 => Digit(before),
                7 => Label(before),
                _ => Hole(before),
            };
            if (after.AsSpan().SequenceEqual(before)) continue;
            File.WriteAllBytes(System.IO.Path.Combine(Path, name), after);
            return new(what, name, where);
        }
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private (string, byte[], int) Flipped(byte[] bytes)
    {
        var (after, at) = (bytes.ToArray(), _random.Next(bytes.Length));
        after[at] ^= (byte)(1 << _random.Next(8));
        return ("bit flipped", after, at);
    }

    private (string, byte[], int) Cut(byte[] bytes)
    {
        var at = _random.Next(bytes.Length);
        return ("cut", bytes[..at], at);
    }

    private (string, byte[], int) Removed(byte[] bytes)
    {
        var at = _random.Next(bytes.Length);
        var count = Math.Min(_random.Next(1, 200), bytes.Length - at);
        return ("bytes removed", [.. bytes[..at], .. bytes[(at + count)..]], at);
    }

    // What a power cut leaves of a block that was never written.
    private (string, byte[], int) Hole(byte[] bytes)
    {
        var (after, at) = (bytes.ToArray(), _random.Next(bytes.Length));
        after.AsSpan(at, Math.Min(_random.Next(1, 4096), bytes.Length - at)).Clear();
        return ("block of zeros", after, at);
    }

    private (string, byte[], int) Lines(byte[] bytes, int kind)
    {
        var lines = Encoding.Latin1.GetString(bytes).TrimEnd('\n').Split('\n').ToList();
        var (a, b) = (_random.Next(lines.Count), _random.Next(lines.Count));
        if (kind == 0) lines.Insert(b, lines[a]);
        if (kind == 1) lines.RemoveAt(a);
        if (kind == 2) (lines[a], lines[b]) = (lines[b], lines[a]);
        var what = kind switch { 0 => "line doubled", 1 => "line dropped", _ => "lines swapped" };
        return (what, Encoding.Latin1.GetBytes(string.Concat(lines.Select(line => line + "\n"))), a);
    }

    private (string, byte[], int) Digit(byte[] bytes)
    {
        int[] digits = [.. Enumerable.Range(0, bytes.Length).Where(at => char.IsAsciiDigit((char)bytes[at]))];
        var (after, at) = (bytes.ToArray(), digits[_random.Next(digits.Length)]);
        after[at] = (byte)('0' + _random.Next(10));
        return ("digit edited", after, at);
    }

    private (string, byte[], int) Label(byte[] bytes)
    {
        var text = Encoding.Latin1.GetString(bytes);
        string[] present = [.. Labels.Where(label => text.Contains(label, StringComparison.Ordinal))];
        var label = present[_random.Next(present.Length)];
        var places = new List<int>();
        for (var at = text.IndexOf(label, StringComparison.Ordinal); at >= 0; at = text.IndexOf(label, at + 1, StringComparison.Ordinal))
            places.Add(at);
        var place = places[_random.Next(places.Count)];
        return ("label edited",
            Encoding.Latin1.GetBytes(text[..place] + Labels[_random.Next(Labels.Length)] + text[(place + label.Length)..]), place);
    }
}
