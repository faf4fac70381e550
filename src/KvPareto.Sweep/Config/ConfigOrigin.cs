namespace KvPareto.Sweep.Config;

/// <summary>Where a config comes from: what is needed to read its text again.</summary>
/// <param name="File">Its file as it was named.</param>
/// <param name="Folder">Where its relative paths start.</param>
/// <param name="Models">Models that stand in for its own, paths made full; empty for none.</param>
/// <param name="Lines">Line of each of its keys.</param>
public sealed record ConfigOrigin(string File, string Folder, IReadOnlyList<string> Models, IReadOnlyDictionary<string, int> Lines);
