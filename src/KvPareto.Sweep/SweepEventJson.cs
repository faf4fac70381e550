using System.Text;
using System.Text.Json;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Running;

namespace KvPareto.Sweep;

/// <summary>Events as lines of JSON: what <c>sweep --json</c> prints (docs/sweep-json.md).</summary>
public static class SweepEventJson
{
    /// <summary>One line, without its end.</summary>
    public static string Write(SweepEvent value) => Encoding.UTF8.GetString(JournalJson.WriteLine(value));

    /// <summary>Reads a line; null where it is no event of this version.</summary>
    public static SweepEvent? Read(string line)
    {
        try
        {
            return JournalJson.Read<SweepEvent>(Encoding.UTF8.GetBytes(line));
        }
        catch (Exception error) when (error is JsonException or NotSupportedException)
        {
            return null;
        }
    }
}
