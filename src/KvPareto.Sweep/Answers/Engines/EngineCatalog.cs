using KvPareto.Engine.Settings;

namespace KvPareto.Sweep.Answers.Engines;

/// <summary>The engines that a setting can be said to: the one place that lists them.</summary>
public static class EngineCatalog
{
    private static readonly Func<EngineRequest, EngineAnswer>[] All =
        [LlamaCppFlags.For, VllmFlags.For, LmDeployFlags.For, ExllamaFlags.For, TransformersFlags.For];

    /// <summary>How each engine runs a setting.</summary>
    /// <param name="setting">Setting.</param>
    /// <param name="tokens">Prompt and new tokens together.</param>
    /// <param name="layers">Decoder layers of the model; null where they are not known.</param>
    public static IReadOnlyList<EngineAnswer> Answers(InferenceSetting setting, int tokens, int? layers)
    {
        var request = new EngineRequest(setting, tokens, layers);
        return [.. All.Select(engine => engine(request))];
    }
}
