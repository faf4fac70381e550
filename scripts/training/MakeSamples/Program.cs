using System.Globalization;
using KvPareto.Text.Input;
using MakeSamples;

try
{
    switch (args)
    {
        case ["train", var seed, var documents, var least, var most, var folder]:
            TrainingText.Write(Number(seed), Number(documents), Number(least), Number(most), folder);
            return 0;
        case ["rows", var kind, var seed, var count, var length, var file]:
            EvaluationRows.Write(kind, Number(seed), Number(count), Number(length), file);
            return 0;
        default:
            Console.Error.WriteLine("usage: MakeSamples train SEED DOCUMENTS LEAST_LENGTH MOST_LENGTH FOLDER");
            Console.Error.WriteLine("       MakeSamples rows KIND SEED COUNT LENGTH FILE.jsonl");
            return 2;
    }
}
catch (Exception error) when (error is ConfigException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}

static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
    ? number
    : throw new ConfigException($"'{text}' is not a whole number");
