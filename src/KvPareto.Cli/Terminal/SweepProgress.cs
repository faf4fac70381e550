using System.Globalization;
using KvPareto.Sweep;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace KvPareto.Cli.Terminal;

/// <summary>Shows a running sweep: two bars with the time left on a terminal, one line a trial anywhere else.</summary>
internal static class SweepProgress
{
    /// <summary>Runs a sweep under the display that fits where standard error goes.</summary>
    public static RunHistory Show(CommandContext context, Func<IProgress<SweepEvent>, RunHistory> run)
    {
        if (!context.Console.Profile.Capabilities.Interactive) return run(new PlainLines(context.Error));
        var left = new LeftColumn();
        var progress = context.Console.Progress().HideCompleted(true).AutoClear(true);
        progress.Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), left);
        return progress.Start(display => run(new Bars(display, left)));
    }

    private static string Line(TrialEnded ended)
    {
        var result = ended.Result;
        var outcome = result.Status == TrialStatus.Ok
            ? string.Create(CultureInfo.InvariantCulture, $"score {result.Score,6:F2}  peak {ByteText.Of(result.Peaks.Inference.Total),9}")
            : $"FAILED: {result.Failure}";
        return string.Create(CultureInfo.InvariantCulture, $"[{ended.Trial,3}/{ended.Trials}] {result.Model,-17} {result.Setting,-32} {outcome}");
    }

    private sealed class PlainLines(TextWriter output) : IProgress<SweepEvent>
    {
        private readonly TimeLeft _time = new();

        public void Report(SweepEvent value)
        {
            switch (value)
            {
                case SweepPlanned planned:
                    _time.Begin(planned.SamplesDone, planned.Samples);
                    output.WriteLine($"{planned.Trials} trials, {planned.Samples} samples; {planned.TrialsDone} trials done before");
                    break;
                case TrialEnded ended:
                    _time.Reach(ended.SamplesDone);
                    output.WriteLine($"{Line(ended)}  {TimeLeft.Text(_time.Elapsed)} gone, {TimeLeft.Text(_time.Left)} left");
                    break;
            }
        }
    }

    private sealed class Bars(ProgressContext display, LeftColumn left) : IProgress<SweepEvent>
    {
        private readonly TimeLeft _time = new();
        private ProgressTask? _sweep;
        private ProgressTask? _trial;

        public void Report(SweepEvent value)
        {
            switch (value)
            {
                case SweepPlanned planned:
                    _time.Begin(planned.SamplesDone, planned.Samples);
                    _sweep = display.AddTask("sweep", maxValue: Math.Max(1, planned.Samples));
                    _trial = display.AddTask("starting", maxValue: 1);
                    Move(planned.SamplesDone);
                    break;
                case TrialBegun begun:
                    _trial!.Description = Markup.Escape(string.Create(CultureInfo.InvariantCulture, $"{begun.Trial}/{begun.Trials} {begun.Model} {begun.Setting}"));
                    (_trial.MaxValue, _trial.Value) = (Math.Max(1, begun.Samples), begun.SamplesDone);
                    break;
                case SampleMeasured measured:
                    _trial!.Value = measured.TrialSamplesDone;
                    Move(measured.SamplesDone);
                    break;
                case TrialEnded ended:
                    Move(ended.SamplesDone);
                    break;
                case TrialLeft others:
                    Move(others.SamplesDone);
                    break;
            }
        }

        private void Move(long samplesDone)
        {
            _time.Reach(samplesDone);
            _sweep!.Value = samplesDone;
            left.Text = $"{TimeLeft.Text(_time.Elapsed)} gone, {TimeLeft.Text(_time.Left)} left";
        }
    }

    // Beside the sweep's own bar, which is the first.
    private sealed class LeftColumn : ProgressColumn
    {
        public string Text { get; set; } = "";

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) => new Spectre.Console.Text(task.Id == 0 ? Text : "");
    }
}
