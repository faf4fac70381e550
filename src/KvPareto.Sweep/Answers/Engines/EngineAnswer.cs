namespace KvPareto.Sweep.Answers.Engines;

/// <summary>How to run a setting with another engine.</summary>
/// <param name="Engine">The engine's name.</param>
/// <param name="Commands">Command lines or code, as far as the engine can say the setting; each in pieces that belong together.</param>
/// <param name="Differences">What it cannot say or does otherwise, one sentence each; empty where it is the same.</param>
public sealed record EngineAnswer(string Engine, IReadOnlyList<IReadOnlyList<string>> Commands, IReadOnlyList<string> Differences)
{
    /// <summary>The command lines, each as one line.</summary>
    public IEnumerable<string> Lines => Commands.Select(pieces => string.Join(' ', pieces));
}
