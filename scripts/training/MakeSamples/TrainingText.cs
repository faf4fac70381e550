using System.Globalization;
using System.Text;
using KvPareto.Tasks;
using KvPareto.Tasks.Synthetic;
using KvPareto.Text.Input;

namespace MakeSamples;

/// <summary>
/// Writes training documents as plain text: context, then questions, each answer ended by <c>&lt;eos&gt;</c>; a document ends with the
/// record separator U+001E. An answer is what stands between <c>Answer:</c> and <c>&lt;eos&gt;</c>.
/// </summary>
internal static class TrainingText
{
    private const int DocumentsPerFile = 4096;
    private const int PiecesPerQuestion = 24;

    // One document in so many is to be said again word for word, while documents are short: copying is the first thing that
    // finding an answer needs, and it is learned far sooner from whole texts than from single answers.
    private const int DocumentsPerEcho = 20;
    private const int LongestEcho = 512;
    private const int EchoFramePieces = 24;
    private const string EchoQuestion = "What does the text say?";
    private const char EndOfDocument = '\u001e';

    // Labels are learned first, two hops last, hence the shares.
    private static readonly SyntheticKind[] Mix =
    [
        SyntheticKind.Fact, SyntheticKind.Fact, SyntheticKind.Count, SyntheticKind.Count, SyntheticKind.Count, SyntheticKind.Label,
        SyntheticKind.TwoHop, SyntheticKind.TwoHop, SyntheticKind.TwoHop, SyntheticKind.TwoHop,
    ];

    /// <summary>Files <c>00000.txt</c> … of 4,096 documents each, the same for the same arguments on any number of cores.</summary>
    /// <param name="seed">A training seed, at least <see cref="SyntheticOptions.FirstTrainingSeed"/>.</param>
    /// <param name="documents">Number of documents.</param>
    /// <param name="least">Shortest document, in pieces.</param>
    /// <param name="most">Longest document, in pieces.</param>
    /// <param name="folder">Where the files go.</param>
    public static void Write(int seed, int documents, int least, int most, string folder)
    {
        if (seed < SyntheticOptions.FirstTrainingSeed)
            throw new ConfigException($"seed: {seed} is kept for evaluation; allowed: {SyntheticOptions.FirstTrainingSeed} and above");
        if (least < SyntheticOptions.LeastLength || most < least)
            throw new ConfigException($"length: {least} to {most} is impossible; allowed: from {SyntheticOptions.LeastLength} upwards");
        Directory.CreateDirectory(folder);
        var files = (documents + DocumentsPerFile - 1) / DocumentsPerFile;
        Parallel.For(0, files, () => new DocumentGenerator(), (file, _, generator) =>
        {
            var path = Path.Combine(folder, file.ToString("D5", CultureInfo.InvariantCulture) + ".txt");
            using var writer = new StreamWriter(path, append: false, new UTF8Encoding(false), bufferSize: 1 << 20);
            var last = Math.Min(documents, (file + 1) * DocumentsPerFile);
            for (var index = file * DocumentsPerFile; index < last; index++)
                WriteDocument(writer, generator, seed, index, least, most);
            return generator;
        }, _ => { });
    }

    private static void WriteDocument(StreamWriter writer, DocumentGenerator generator, int seed, int index, int least, int most)
    {
        var random = new SampleRandom((ulong)seed, (ulong)index, (ulong)least, (ulong)most);
        var length = random.Between(least, most);
        var kind = random.Pick(Mix);
        if (length <= LongestEcho && random.Below(DocumentsPerEcho) == 0)
        {
            var text = generator.Generate(kind, seed, index, (length - EchoFramePieces) / 2).Context;
            writer.Write(text);
            writer.Write(SyntheticPrompt.Solved(EchoQuestion, text));
        }
        else
        {
            var questions = random.Between(1, Math.Max(1, length / PiecesPerQuestion));
            var document = generator.Generate(kind, seed, index, length, questions);
            writer.Write(document.Context);
            foreach (var solved in document.Questions)
                writer.Write(SyntheticPrompt.Solved(solved.Question, solved.Reply));
        }
        writer.Write(EndOfDocument);
    }
}
