using System.Diagnostics;
using System.Globalization;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Benchmarks;

/// <summary>A tokenizer from a cold start, as a program meets it: loading, the first pass over a text, and later ones.</summary>
internal static class TokenizerBenchmark
{
    private const int LaterPasses = 5;

    /// <summary>Prints seconds of processor time to load, and MB of text per second of it.</summary>
    /// <param name="folder">A folder with <c>tokenizer.json</c>.</param>
    /// <param name="file">A text, UTF-8.</param>
    public static void Run(string folder, string file)
    {
        var text = File.ReadAllText(file);
        var megabytes = new FileInfo(file).Length / 1e6;
        Tokenizer? tokenizer = null;
        var load = Seconds(() => tokenizer = Tokenizer.Load(folder));
        var ids = 0;
        var first = Seconds(() => ids = tokenizer!.Encode(text).Length);
        var later = Enumerable.Range(0, LaterPasses).Select(_ => Seconds(() => tokenizer!.Encode(text))).Order().ElementAt(LaterPasses / 2);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Path.GetFileName(folder),-14} load {load:f2} s   first {megabytes / first:f1} MB/s   later {megabytes / later:f1} MB/s   {ids} ids"));
    }

    // Processor time of all threads: what the runtime compiles on another counts, what other programs do does not.
    private static double Seconds(Action action)
    {
        var process = Process.GetCurrentProcess();
        var start = process.TotalProcessorTime;
        action();
        process.Refresh();
        return (process.TotalProcessorTime - start).TotalSeconds;
    }
}
