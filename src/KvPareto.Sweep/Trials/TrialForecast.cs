using KvPareto.Engine.Memory;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>Peaks of a setting over a model's samples, predicted from shapes alone.</summary>
internal sealed class TrialForecast
{
    private readonly MemoryModel _memory;
    private readonly TaskSample[] _largest;

    /// <summary>A forecast for some samples.</summary>
    /// <param name="layout">Sizes of the device's allocations.</param>
    /// <param name="checkpoint">Model; read while there are questions.</param>
    /// <param name="tasks">Its samples.</param>
    public TrialForecast(MemoryLayout layout, Checkpoint checkpoint, IReadOnlyList<PreparedTask> tasks)
    {
        _memory = new(layout, checkpoint);
        TaskSample[] samples = [.. tasks.SelectMany(task => task.Samples)];
        LongestPrompt = samples.Max(sample => sample.PromptIds.Length);
        // Prefill grows with the prompt, the cache with prompt and answer: one of the two has the highest peak.
        _largest =
        [
            samples.First(sample => sample.PromptIds.Length == LongestPrompt),
            samples.MaxBy(sample => sample.PromptIds.Length + sample.MaxNewTokens)!,
        ];
    }

    /// <summary>Tokens of the longest prompt.</summary>
    public int LongestPrompt { get; }

    /// <summary>Bytes at the inference peak.</summary>
    public long Inference(InferenceSetting setting) => Peaks(setting).Max(peaks => peaks.Inference.Total);

    /// <summary>Bytes at the highest peak, loading included.</summary>
    public long Highest(InferenceSetting setting) => Peaks(setting).Max(peaks => Math.Max(peaks.Inference.Total, peaks.Load.Total));

    /// <summary>
    /// The setting with its chunk resolved, where it is auto: the largest chunk whose inference peak is within some bytes, none where
    /// whole prompts are; 1 where nothing is. (A larger chunk never takes less.)
    /// </summary>
    /// <param name="setting">Setting.</param>
    /// <param name="room">Bytes; null for no bound.</param>
    public InferenceSetting Resolved(InferenceSetting setting, long? room)
    {
        if (setting.Chunk != InferenceSetting.AutoChunk) return setting;
        if (Fits(null)) return setting with { Chunk = null };
        var (fits, tooLarge) = (1, LongestPrompt);
        while (tooLarge - fits > 1)
        {
            var middle = fits + (tooLarge - fits) / 2;
            if (Fits(middle)) fits = middle;
            else tooLarge = middle;
        }
        return setting with { Chunk = fits };

        bool Fits(int? chunk) => room is not { } bytes || Inference(setting with { Chunk = chunk }) <= bytes;
    }

    private MemoryPeaks[] Peaks(InferenceSetting setting) => Array.ConvertAll(_largest, sample =>
        _memory.Predict(setting, sample.PromptIds.Length, Math.Max(1, sample.MaxNewTokens)));
}
