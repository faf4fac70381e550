using KvPareto.Cpu;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Trials;
using KvPareto.Tasks;
using KvPareto.Tasks.Predictions;

namespace KvPareto.Sweep.Tests.Trials;

public class BackendTrialModelTests
{
    [Fact]
    public void Answer_EndsBeforeTheFirstStopText()
    {
        using var backend = new CpuBackend(2);
        using var model =
            new BackendTrialModel(LanguageModel.Load(backend, "embedded:llama", WeightSpec.Full), new TrialReferences(backend), room: null);
        var sample = new TaskSample { Id = "a", PromptIds = [40, 41, 42, 43], MaxNewTokens = 12, Answers = [] };
        var free = Measure(sample);
        Assert.Equal(12, free.NewTokens);

        var text = Text(free);
        var stop = text[5..7];
        var stopped = Measure(sample with { StopTexts = ["never said", stop] });
        Assert.Equal(text[..text.IndexOf(stop, StringComparison.Ordinal)], Text(stopped));
        Assert.InRange(stopped.NewTokens, 1, 11);
        Assert.Equal(text, Text(Measure(sample)));

        static string Text(Answer answer) => Assert.IsType<TextPrediction>(answer.Prediction).Text;

        Answer Measure(TaskSample question) => model.Measure(new InferenceSetting(), question, prefixes: false, TestContext.Current.CancellationToken);
    }
}
