using KvPareto.Engine.Settings;
using KvPareto.Sweep.Answers;
using KvPareto.Sweep.Answers.Engines;

namespace KvPareto.Cli.Terminal;

/// <summary>Answers of <c>kvpareto recommend</c> as JSON.</summary>
internal static class RecommendJson
{
    /// <summary>One JSON object.</summary>
    public static void Write(CommandContext context, IReadOnlyList<ModelAnswer> answers, RecommendRequest request) =>
        context.Output.WriteLine(JsonText.Of(new
        {
            budgetBytes = request.Budget,
            context = request.Context,
            newTokens = request.NewTokens,
            maxLoss = request.MaxLoss is { } limit ? new { value = limit.Value, unit = limit.IsPercent ? "percent" : "points" } : null,
            certain = request.Certain,
            answers = answers.Select(answer => new
            {
                model = answer.Model,
                choice = answer.Choice is { } choice ? Of(choice) : null,
                engines = answer.Choice is { } chosen ? Engines(answer, chosen, request) : null,
                nearest = answer.Choice is null ? new { inMemory = Of(answer.NearestInMemory), inLoss = Of(answer.NearestInLoss) } : null,
                looked = answer.Candidates.Count,
                fitting = answer.Candidates.Count(candidate => candidate.Fits),
                keepingUp = answer.Candidates.Count(candidate => candidate.KeepsUp),
            }),
        }));

    private static object? Of(Candidate? candidate) => candidate is null ? null : new
    {
        setting = candidate.Setting,
        isBaseline = candidate.IsBaseline,
        peakBytes = candidate.Peak.Bytes,
        loadBytes = candidate.Peak.LoadBytes,
        context = candidate.Peak.Context,
        isPredicted = candidate.Peak.IsPredicted,
        measuredContext = candidate.Peak.MeasuredContext,
        correctionBytes = candidate.Peak.Correction,
        longestContext = candidate.LongestContext,
        score = candidate.Score,
        interval = JsonText.Ends(candidate.Interval),
        loss = candidate.Loss,
        lossInterval = JsonText.Ends(candidate.LossInterval),
        ttftMs = candidate.TtftMs,
        tpotMs = candidate.TpotMs,
    };

    private static object Engines(ModelAnswer answer, Candidate choice, RecommendRequest request) =>
        EngineCatalog.Answers(InferenceSetting.Parse(choice.Setting), RecommendText.Tokens(choice, request), answer.Layers)
            .Select(engine => new { engine = engine.Engine, commands = engine.Lines, differences = engine.Differences });
}
