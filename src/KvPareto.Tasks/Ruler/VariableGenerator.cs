using System.Globalization;

namespace KvPareto.Tasks.Ruler;

/// <summary>
/// RULER's variable tracking (its <c>variable_tracking.py</c>): one chain of five assignments in noise, after a short example.
/// </summary>
internal sealed class VariableGenerator : RulerGenerator
{
    private const int Hops = 4;
    private const int NameLetters = 5;
    private const int ExampleNameLetters = 3;
    private const int ExampleSize = 10;

    /// <inheritdoc/>
    public override int LeastSize => Hops + 2;

    /// <inheritdoc/>
    public override RulerPrompt Make(Func<ulong, SampleRandom> streams, int size)
    {
        var example = Question(streams(1), ExampleSize, ExampleNameLetters);
        var question = Question(streams(0), size, NameLetters);
        return question with
        {
            Text = $"{example.Text}{example.AnswerPrefix} {string.Join(' ', example.Answers)}\n\n{question.Text}",
        };
    }

    private static RulerPrompt Question(SampleRandom random, int size, int letters)
    {
        var names = new List<string>();
        while (names.Count <= Hops)
            if (Name(random, letters) is var name && !names.Contains(name)) names.Add(name);
        var value = random.Between(10_000, 99_998).ToString(CultureInfo.InvariantCulture);
        string[] chain = [$"VAR {names[0]} = {value}", .. names.Zip(names.Skip(1), (from, to) => $"VAR {to} = VAR {from} ")];
        double[] depths = [.. chain.Select(_ => random.Share()).Order()];

        List<string> sentences = [.. Enumerable.Repeat(NeedleGenerator.Noise + "\n", size)];
        for (var link = chain.Length - 1; link >= 0; link--) sentences.Insert((int)(depths[link] * size), chain[link]);
        var context = string.Join(' ', sentences).Replace(". \n", ".\n", StringComparison.Ordinal);
        return new(
            $"Memorize and track the chain(s) of variable assignment hidden in the following text.\n\n{context}\n"
                + $"Question: Find all variables that are assigned the value {value} in the text above.",
            string.Create(
                CultureInfo.InvariantCulture,
                $" Answer: According to the chain(s) of variable assignment in the text above, {names.Count} variables are assigned the ")
                + $"value {value}, they are: ",
            names);
    }

    private static string Name(SampleRandom random, int letters) =>
        string.Create(letters, random, (name, choices) =>
        {
            for (var i = 0; i < name.Length; i++) name[i] = (char)('A' + choices.Below(26));
        });
}
