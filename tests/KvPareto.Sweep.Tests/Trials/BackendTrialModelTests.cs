using KvPareto.Cpu;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Trials;
using KvPareto.Tasks;

namespace KvPareto.Sweep.Tests.Trials;

public class BackendTrialModelTests
{
    [Fact]
    public void Answer_EndsBeforeTheFirstStopText()
    {
        using var backend = new CpuBackend(2);
        using var model =
            new BackendTrialModel(LanguageModel.Load(backend, "embedded:llama", WeightSpec.Full), new TrialReferences(backend));
        var sample = new TaskSample { Id = "a", PromptIds = [40, 41, 42, 43], MaxNewTokens = 12, Answers = [] };
        var free = Measure(sample);
        Assert.Equal(12, free.NewTokens);

        var stop = free.Text[5..7];
        var stopped = Measure(sample with { StopTexts = ["never said", stop] });
        Assert.Equal(free.Text[..free.Text.IndexOf(stop, StringComparison.Ordinal)], stopped.Text);
        Assert.InRange(stopped.NewTokens, 1, 11);
        Assert.Equal(free.Text, Measure(sample).Text);

        Answer Measure(TaskSample question) => model.Measure(new InferenceSetting(), question, TestContext.Current.CancellationToken);
    }
}
