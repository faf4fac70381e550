using KvPareto.Engine;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Answers;
using KvPareto.Sweep.Answers.Engines;
using KvPareto.Sweep.Results;
using static System.FormattableString;

namespace KvPareto.Cli.Terminal;

/// <summary>Answers of <c>kvpareto recommend</c> for people.</summary>
internal static class RecommendText
{
    private const int LabelWidth = 10;
    private const int DefaultTokens = 4096;

    /// <summary>An answer for each model, then what other engines call it; where nothing fits, what comes nearest.</summary>
    public static void Show(CommandContext context, IReadOnlyList<ModelAnswer> answers, RecommendRequest request)
    {
        var width = context.OutputWidth() ?? WrappedText.UsualWidth;
        foreach (var answer in answers)
        {
            if (answer.Choice is { } choice) Choice(context.Output, answer, choice, request, width);
            else Miss(context, answer, request);
        }
    }

    /// <summary>Tokens that an engine needs room for.</summary>
    public static int Tokens(Candidate choice, RecommendRequest request) => (choice.Peak.Context ?? DefaultTokens) + request.NewTokens;

    private static void Choice(TextWriter output, ModelAnswer answer, Candidate choice, RecommendRequest request, int width)
    {
        output.WriteLine(TerminalText.OneLine($"{answer.Model}: {choice.Setting}{(choice.IsBaseline ? " (baseline)" : "")}"));
        Line("peak", Peak(choice.Peak, request));
        if (choice.Peak.LoadBytes > choice.Peak.Bytes)
            Line("loading", ByteText.Of(choice.Peak.LoadBytes) + ", more than the peak of running");
        Line("score", Invariant($"{choice.Score:F2} (95 % interval {choice.Interval.Low:F1} to {choice.Interval.High:F1})"));
        if (choice.Loss is { } loss) Line("loss", Loss(loss, choice, request));
        if (choice.LongestContext is { } longest)
            Line("longest",
                Invariant($"prompts of up to {longest:N0} tokens fit, {CountText.Of(request.NewTokens, "new one")} after them"));
        if (choice.TpotMs is { } time) Line("a token", Invariant($"{time:F1} ms where it was measured"));
        Line("chosen", Chosen(answer, request));
        output.WriteLine();
        foreach (var engine in EngineCatalog.Answers(InferenceSetting.Parse(choice.Setting), Tokens(choice, request), answer.Layers))
        {
            output.WriteLine(engine.Engine);
            foreach (var command in engine.Commands)
            {
                // Python goes on in the next line within brackets.
                var more = command[0].Contains('(', StringComparison.Ordinal) ? "" : " \\";
                foreach (var line in WrappedText.Command(command, width, more)) output.WriteLine(line);
            }
            foreach (var difference in engine.Differences)
                foreach (var line in WrappedText.Words("- " + difference, width, 2, 4)) output.WriteLine(line);
            output.WriteLine();
        }

        void Line(string label, string text)
        {
            var first = true;
            foreach (var line in WrappedText.Words(text, width, LabelWidth, LabelWidth))
            {
                output.WriteLine(first ? label.PadLeft(LabelWidth - 2) + line[(LabelWidth - 2)..] : line);
                first = false;
            }
        }
    }

    private static string Peak(ExpectedPeak peak, RecommendRequest request)
    {
        var room = request.Budget is { } budget ? $" of {ByteText.Of(budget)}" : "";
        var at = peak.Context is { } context ? Invariant($" at {context:N0} tokens") : "";
        if (!peak.IsPredicted) return $"{ByteText.Of(peak.Bytes)}{room}{at}, measured";
        var off = peak.Correction == 0 ? "the prediction is exact there"
            : $"the prediction is {ByteText.Of(Math.Abs(peak.Correction))} too {(peak.Correction > 0 ? "low" : "high")} there, which is "
                + "made up for";
        return $"{ByteText.Of(peak.Bytes)}{room}{at}, predicted from shapes; "
            + Invariant($"measured were up to {peak.MeasuredContext:N0}; ") + off;
    }

    private static string Loss(double loss, Candidate choice, RecommendRequest request)
    {
        var unit = request.MaxLoss is { IsPercent: false } ? "points" : "% of the baseline's score";
        var text = Invariant($"{loss:F2} {unit} (95 % interval {choice.LossInterval?.Low:F1} to {choice.LossInterval?.High:F1})");
        if (request.MaxLoss is { } limit)
            text += choice.LossInterval?.High > limit.Value ? $", limit {limit}: within it as measured, not for certain"
                : $", limit {limit}";
        if (choice.Peak.IsPredicted) text += Invariant($"; measured on prompts of up to {choice.Peak.MeasuredContext:N0} tokens");
        return text;
    }

    private static string Chosen(ModelAnswer answer, RecommendRequest request)
    {
        var best = request.Prefer switch
        {
            Preference.Memory => "the smallest peak",
            Preference.Speed => "the quickest token",
            _ => "the highest score",
        };
        var fitting = answer.Candidates.Count(candidate => candidate.Fits);
        var within = answer.Candidates.Count(candidate => candidate.Fits && candidate.KeepsUp);
        return $"of {CountText.Of(answer.Candidates.Count, "setting")} {fitting} {(fitting == 1 ? "fits" : "fit")} and {within} of these "
            + $"{(within == 1 ? "keeps" : "keep")} within the loss; this has {best}";
    }

    private static void Miss(CommandContext context, ModelAnswer answer, RecommendRequest request)
    {
        context.Error.WriteLine(TerminalText.OneLine($"{answer.Model}: none of {CountText.Of(answer.Candidates.Count, "setting")} "
            + string.Join(" and ", Limits(request))));
        if (answer.NearestInMemory is { } small && request.Budget is { } budget)
            context.Error.WriteLine(TerminalText.OneLine($"  nearest in memory: {small.Setting} needs "
                + $"{ByteText.Of(small.Peak.NeededBytes)}, {ByteText.Of(Math.Max(0, small.Peak.NeededBytes - budget))} too much"));
        if (answer.NearestInLoss is { Loss: { } loss } good && request.MaxLoss is { } limit)
            context.Error.WriteLine(TerminalText.OneLine($"  nearest in loss: {good.Setting} loses "
                + Invariant($"{loss:F2} {(limit.IsPercent ? "%" : "points")} ")
                + Invariant($"({good.LossInterval?.Low:F1} to {good.LossInterval?.High:F1})")));
    }

    private static IEnumerable<string> Limits(RecommendRequest request)
    {
        if (request.Budget is { } budget)
            yield return $"fits in {ByteText.Of(budget)}" + (request.Context is { } context ? Invariant($" at {context:N0} tokens") : "");
        if (request.MaxLoss is { } limit) yield return $"loses at most {limit}{(request.Certain ? " for certain" : "")}";
    }
}
